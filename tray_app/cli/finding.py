"""One line of `doctor`: what was checked, and whether it is as it should be."""

from __future__ import annotations

from tray_app.core.language import tr
from tray_app.core.printable import printable


class Finding:
    """The `name` of what was checked, in English, whether it is `good`, and a sentence about it."""

    def __init__(self, name: str, text: str, *, good: bool) -> None:
        self.name = name
        self.text = printable(text)
        self.good = good

    def __str__(self) -> str:
        return f"{tr(self.name)}: {self.text}"
