"""`python -m tray_app` is `kiwoom-token-tray`, and so is `python PATH/TO/tray_app` from any folder."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__" and not __package__:  # run by its path: `sys.path[0]` is the package itself
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def run() -> NoReturn:
    """Run the tray program, after the working folder was taken off the import path."""
    from tray_app.system.child_process import restore_environment, stop_importing_from_working_folder

    restore_environment(with_qt=False)
    stop_importing_from_working_folder()
    from tray_app import app

    app.run()


if __name__ == "__main__":
    run()
