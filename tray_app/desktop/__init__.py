"""The tray program. Qt is used only here.

`main.run_desktop` starts it, and `controller` connects its parts. `view` turns the state of the accounts into what
is shown; `tray`, `status_window` and `notices` render it. `settings`, `history`, `setup` and `dialogs` are the other
windows.
"""

APP_NAME = "kiwoom-token-tray"
APP_ID = "KiwoomTokenTray"
"""This program's AppUserModelID on Windows."""
TOAST_ACTIVATOR = "{56EA2396-78BE-4969-A8EC-960738070703}"
"""The CLSID that the installer registers for clicks on notices."""

PORTAL_URL = "https://openapi.kiwoom.com"
"""The page where Kiwoom issues app keys and registers IP addresses."""

SNOOZES_SECONDS = (1800, 3600, 28800)
"""How long warnings can be snoozed."""
