"""Where the packaged `kiwoom-token-tray` begins."""

from tray_app.__main__ import run

run()
