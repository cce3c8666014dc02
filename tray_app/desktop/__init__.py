"""The only rooms with Qt: monitor, tray, icon, window, notices and what each OS needs."""

APP_NAME = "kiwoom-token-tray"
APP_ID = "KiwoomTokenTray"
"""This program's AppUserModelID on Windows."""
