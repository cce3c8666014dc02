"""Where Tab enters a group of radio buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from PySide6.QtWidgets import QButtonGroup


def enter_at_checked(group: QButtonGroup) -> None:
    """Let Tab stop only at the checked button of a group. Qt does so once one of them has had the focus: until then Tab
    stops at the first, where Space changes the choice."""
    group.buttonToggled.connect(lambda *_: _set_policies(group))
    _set_policies(group)


def _set_policies(group: QButtonGroup) -> None:
    checked = group.checkedButton()
    for button in group.buttons():
        stops = checked is None or button is checked
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if stops else Qt.FocusPolicy.ClickFocus)
