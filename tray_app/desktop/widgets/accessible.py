"""What a screen reader says of a window, and how the keyboard reaches its buttons."""

from __future__ import annotations

import re

from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QWidget

_MNEMONIC = re.compile(r"\(&.\)|&(?!&)")
_PLAIN = "plainName"


def plain(text: str) -> str:
    """Return the text of a button without its mnemonic, which Korean texts have in brackets behind them."""
    return _MNEMONIC.sub("", text).replace("&&", "&")


def with_mnemonic(text: str, letter: str) -> str:
    """Return `text` with `letter` as its mnemonic: marked within the text, or in brackets behind a Korean one."""
    at = text.lower().find(letter.lower())
    if at < 0 and text[:1].isascii() and text[:1].isalpha():
        at = 0
    if at >= 0 and text:
        return f"{text[:at]}&{text[at:]}"
    if text.endswith("…"):
        return f"{text[:-1]}(&{letter})…"
    return f"{text}(&{letter})" if text else ""


def name_after(widget: QWidget, text: str) -> None:
    """Give a button, or what a label stands for, the accessible name that the text is without the mnemonic, unless it
    has one of its own.

    Qt leaves the brackets of a Korean mnemonic in the name, which is read as a letter that means nothing.
    """
    name = plain(text)
    before = widget.accessibleName()
    if (not before or before == widget.property(_PLAIN)) and name != before:
        widget.setProperty(_PLAIN, name)
        widget.setAccessibleName(name)


def alert(widget: QWidget) -> None:
    """Let a screen reader say what the widget shows, whatever has the focus."""
    QAccessible.updateAccessibility(QAccessibleEvent(widget, QAccessible.Event.Alert))
