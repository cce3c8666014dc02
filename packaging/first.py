"""Runs before anything else in a packaged program: what the boot loader and PyInstaller's hooks change in the
environment can then be undone for the processes that the program starts (`tray_app/system/child_process.py`)."""

import sys

if sys.platform == "win32":
    from nt import environ
else:
    from posix import environ

sys.initial_environ = {**environ}
