"""`python -m tray_app` is `kiwoom-token-tray`, and so is `python PATH/TO/tray_app` from any folder."""

import os
import sys

if __name__ == "__main__" and not __package__:  # run by its path, which stands where the folder around it belongs
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from tray_app.app import run

run()
