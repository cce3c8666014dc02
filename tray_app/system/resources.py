"""The files that come with the program."""

from __future__ import annotations

import os


def resources_folder() -> str:
    """Return the folder of icons and translations: inside the installed package, or beside it in a checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "resources")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "resources")
