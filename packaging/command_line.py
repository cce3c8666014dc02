"""Where the packaged `kiwoom-token` begins."""

import sys

if sys.platform == "win32" and sys.argv[1:2] == ["--path"] and sys.argv[2:] in (["add"], ["remove"]):
    import os

    from installer_path import run as change_path

    sys.exit(change_path(sys.argv[2], os.path.dirname(sys.executable)))

from tray_app.cli.main import run

run()
