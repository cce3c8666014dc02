"""Buttons, labels and cards as the windows use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout

from tray_app.desktop.theme.stylesheet import set_role
from tray_app.desktop.widgets.accessible import name_after

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def make_card(name: str, parent: QWidget) -> tuple[QFrame, QVBoxLayout]:
    card = QFrame(parent)
    card.setObjectName(name)
    set_role(card, "card")
    inside = QVBoxLayout(card)
    inside.setContentsMargins(14, 12, 14, 12)
    inside.setSpacing(4)
    return card, inside


def make_scroll_area(name: str, parent: QWidget | None = None, *, sideways: bool = False) -> QScrollArea:
    """Return an area without a frame that scrolls what has no room; Tab does not stop at the area itself."""
    area = QScrollArea(parent)
    area.setObjectName(name)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    if not sideways:
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def make_text(name: str, parent: QWidget, *, wrap: bool = True) -> QLabel:
    """Return a label of plain text, in the middle of its height."""
    label = QLabel(parent)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    return label


def make_quiet_text(name: str, parent: QWidget) -> QLabel:
    """Return a label of plain text that explains something else, in the quiet tone."""
    label = make_text(name, parent)
    set_role(label, "quiet")
    return label


def embolden(label: QLabel) -> None:
    """Give a label the weight of a heading."""
    font = label.font()
    font.setWeight(QFont.Weight.DemiBold)
    label.setFont(font)


def make_label(name: str, parent: QWidget, *, wrap: bool = False, centred: bool = False) -> QLabel:
    """Return a label of plain text at the top left of its place, or in its middle."""
    label = make_text(name, parent, wrap=wrap)
    corner = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    label.setAlignment(Qt.AlignmentFlag.AlignCenter if centred else corner)
    return label


def make_button(name: str, parent: QWidget) -> QPushButton:
    button = QPushButton(parent)
    button.setObjectName(name)
    button.setAutoDefault(False)
    return button


def set_text(widget: QLabel | QAbstractButton, text: str) -> None:
    """Set the text of a label or button where it is another one, and the accessible name of the button, or of what the
    label stands for."""
    if widget.text() != text:
        widget.setText(text)
        named = widget if isinstance(widget, QAbstractButton) else widget.buddy()
        if named is not None and not isinstance(named, QLabel):
            name_after(named, text)
