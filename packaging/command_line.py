"""Where the packaged `kiwoom-token` begins."""

from tray_app.cli.main import run

run()
