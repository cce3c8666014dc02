"""The icon of a program that has just started and knows nothing of the token yet."""

from __future__ import annotations

import os

from PySide6.QtGui import QIcon

from tray_app.system.resources import resources_folder


def first_icon(dark_panel: bool, *, mask: bool = False) -> QIcon:
    """Return that icon, from a file: painting it would take a tenth of the time until the icon is there."""
    name = f"starting-on-{'dark' if dark_panel else 'light'}.png"
    icon = QIcon(os.path.join(resources_folder(), "icons", name))
    icon.setIsMask(mask)
    return icon
