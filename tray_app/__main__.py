"""`python -m tray_app` is `kiwoom-token-tray`."""

from tray_app.app import run

run()
