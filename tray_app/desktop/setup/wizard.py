"""The setup wizard: five short pages at the first start, each of which can be skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QHideEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from tray_app.core.language import tr
from tray_app.desktop.icons.app_icon import app_icon
from tray_app.desktop.setup.flow import STEPS, Activity, SetupFlow, SetupResult, Step
from tray_app.desktop.setup.language_switch import LanguageSwitch
from tray_app.desktop.setup.pages.done import DonePage
from tray_app.desktop.setup.pages.keys import KeysPage
from tray_app.desktop.setup.pages.page import Page
from tray_app.desktop.setup.pages.startup import StartupPage
from tray_app.desktop.setup.pages.storage import StoragePage
from tray_app.desktop.setup.pages.welcome import WelcomePage
from tray_app.desktop.setup.step_dots import StepDots
from tray_app.desktop.setup.texts import activity_text
from tray_app.desktop.theme.colours import window_tones
from tray_app.desktop.theme.fonts import korean_font_hint
from tray_app.desktop.theme.stylesheet import (
    LOOK_CHANGES,
    fix_box_colours,
    set_main,
    set_role,
    set_stylesheet,
    window_stylesheet,
)
from tray_app.desktop.view.texts import title_text
from tray_app.desktop.widgets.accessible import alert, with_mnemonic
from tray_app.desktop.widgets.basics import make_button, make_quiet_text, make_scroll_area, make_text, set_text
from tray_app.desktop.widgets.busy_line import BusyLine
from tray_app.desktop.widgets.file_drop import FileDrop
from tray_app.desktop.widgets.return_key import press_focused_button
from tray_app.desktop.widgets.tool_window import available_room, bring_to_front

if TYPE_CHECKING:
    from tray_app.desktop.setup.actions import SetupActions


_WIDTH, _HEIGHT = 560, 460

_NARROWEST, _LOWEST = 400, 240


_CRAMPED = 400
"""Less room for the height: the page gets what the dots and the margins would take."""


def open_setup(parent: QWidget | None, actions: SetupActions, profile: str = "") -> SetupWizard:
    """Open the wizard; its title names the account of `profile`, if that is given. It deletes itself after
    `ended(SetupResult)`."""
    wizard = SetupWizard(parent, actions, profile=profile)
    wizard.show_in_front()
    return wizard


class SetupWizard(QDialog):
    """Render the state of a `SetupFlow`. Closing it asks nothing; what was saved stays."""

    ended = Signal(object)

    def __init__(
        self,
        parent: QWidget | None,
        actions: SetupActions,
        start: Step = Step.WELCOME,
        *,
        profile: str = "",
    ) -> None:
        super().__init__(parent)
        self._profile = profile
        self.setObjectName("setupWizard")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowIcon(app_icon())
        self._step: Step | None = None
        self._pressed: QWidget | None = None
        """What had the focus when the work began that runs now."""
        self._is_cramped = self.screen().availableGeometry().height() < _CRAMPED
        self.flow = SetupFlow(actions, start, self)
        self._busy = BusyLine(self)
        self._busy.setFixedHeight(3)
        self._dots = StepDots(self)
        self._status = make_quiet_text("setupStatus", self)
        self._status.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._font_hint = make_text("fontHint", self)
        self._title = QLabel(self)
        self._title.setObjectName("setupTitle")
        self._title.setWordWrap(True)
        self._languages = LanguageSwitch(self, self.flow)
        self._pages: dict[Step, Page] = {}
        self._stack = QStackedWidget(self)
        for kind in (WelcomePage, KeysPage, StoragePage, StartupPage, DonePage):
            page = kind(self.flow)
            page.edited.connect(self._render)
            self._pages[page.step] = page
            area = make_scroll_area("")  # for small screens and large fonts
            area.setWidget(page)
            self._stack.addWidget(area)
        self._back = make_button("setupBack", self)
        self._skip = make_button("setupSkip", self)
        self._next = make_button("setupNext", self)
        set_role(self._next, "main")
        self._next.setDefault(True)
        self._remedy = make_button("keysRemedy", self)
        self._remedy.setAutoDefault(True)
        set_role(self._remedy, "main")
        self._remedy.clicked.connect(self._do_remedy)
        self._back.clicked.connect(self.flow.back)
        self._skip.clicked.connect(self._skip_or_cancel)
        self._next.clicked.connect(self._submit)
        FileDrop(self, self._take_files, self._takes_files)
        self._lay_out()
        self._retranslate()
        self._restyle()
        self.flow.changed.connect(self._render)
        self.flow.ended.connect(self._end)
        self.finished.connect(lambda _: self.flow.end())
        self._render()
        self.flow.poll()

    @property
    def page(self) -> Page:
        return self._pages[self.flow.state.step]

    def show_in_front(self) -> None:
        bring_to_front(self)

    def hideEvent(self, event: QHideEvent) -> None:
        if not event.spontaneous():  # not when it is only minimised
            self.page.discard_input()
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not press_focused_button(self, event):
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kind = event.type()
        if kind == QEvent.Type.LanguageChange:
            self._retranslate()
            self._render()
        elif kind in LOOK_CHANGES:
            self._restyle()

    def _submit(self) -> None:
        self.page.submit()

    def _do_remedy(self) -> None:
        self.page.do_remedy()

    def _takes_files(self) -> bool:
        return self.page.takes_files()

    def _take_files(self, paths: list[str]) -> None:
        self.page.take_files(paths)

    def _skip_or_cancel(self) -> None:
        if self.flow.state.step is Step.WELCOME:
            self.reject()
        else:
            self.flow.skip()

    def _end(self, result: SetupResult) -> None:
        self.ended.emit(result)
        self.close()

    def _render(self) -> None:
        state = self.flow.state
        page = self.page
        idle = state.activity is Activity.IDLE
        if not idle and self._pressed is None:
            self._pressed = self.focusWidget() or self._next
            self.setFocus()  # a disabled button would pass it on to whatever is next
        if state.step is not self._step:
            if self._step is not None:
                self._pages[self._step].discard_input()
            self._stack.setCurrentIndex(STEPS.index(state.step))
        self._dots.show_step(STEPS.index(state.step), len(STEPS))
        page.show_state()
        set_text(self._title, page.title())
        self.setAccessibleDescription(self._title.text())
        self._languages.setVisible(state.step is Step.WELCOME)
        self._show_status(activity_text(state))
        self._back.setVisible(state.step is not Step.WELCOME)
        self._back.setEnabled(idle)
        self._skip.setVisible(state.step is not Step.DONE)
        self._skip.setEnabled(idle)
        set_text(self._skip, tr("&Later") if state.step is Step.WELCOME else tr("Sk&ip"))
        set_text(self._next, page.main_text())
        self._next.setEnabled(idle and page.can_submit())
        if idle and self._pressed is not None:
            self._return_focus(self._pressed)
            self._pressed = None
        self._show_remedy(page, is_possible=idle)
        if state.step is not self._step:
            self._step = state.step
            page.initial_focus().setFocus()
            alert(self._title)

    def _return_focus(self, pressed: QWidget) -> None:
        """Return the focus to what had it before the work, unless it has been moved since."""
        if self.focusWidget() is self:
            can_take_it = isValid(pressed) and pressed.isVisible() and pressed.isEnabled()
            (pressed if can_take_it else self.page.initial_focus()).setFocus()

    def _show_remedy(self, page: Page, *, is_possible: bool) -> None:
        """Make what solves an error the main button, in place of the one that would repeat it."""
        text = page.remedy_text()
        was_shown = self._remedy.isVisibleTo(self) and self._remedy.isEnabled()
        set_text(self._remedy, with_mnemonic(text, "T"))
        self._remedy.setVisible(bool(text))
        self._remedy.setEnabled(is_possible)
        set_main(self._next, is_main=not text)
        if text and is_possible and not was_shown:
            self._remedy.setFocus()

    def _show_status(self, text: str) -> None:
        """Show a status in place of the dots, so that nothing moves."""
        self._busy.show_progress(text)
        self._dots.setVisible(not text and not self._is_cramped)
        self._status.setVisible(not self._dots.isVisibleTo(self) and (bool(text) or not self._is_cramped))
        if text != self._status.text():
            self._status.setText(text)
            alert(self._status)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._languages, 0, Qt.AlignmentFlag.AlignTop)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._back)
        buttons.addStretch(1)
        buttons.addWidget(self._skip)
        buttons.addWidget(self._next)
        body = QVBoxLayout()
        if self._is_cramped:
            body.setContentsMargins(12, 8, 12, 8)
            body.setSpacing(6)
        else:
            body.setContentsMargins(28, 22, 28, 20)
            body.setSpacing(14)
        body.addLayout(head)
        body.addWidget(self._font_hint)
        body.addWidget(self._stack, 1)
        body.addWidget(self._dots)
        body.addWidget(self._status)
        body.addWidget(self._remedy)
        body.addLayout(buttons)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        room = available_room(self)
        whole.addStrut(min(_NARROWEST, room.width()))
        whole.addWidget(self._busy)
        whole.addLayout(body)
        font = self._title.font()
        font.setPointSizeF(max(1.0, font.pointSizeF()) * 1.45)
        font.setWeight(QFont.Weight.DemiBold)
        self._title.setFont(font)
        self._dots.setFixedHeight(self._status.fontMetrics().lineSpacing())
        self._status.setMinimumHeight(self._dots.height())
        self.setMinimumHeight(min(_LOWEST, room.height()))  # the width is what the buttons need
        self.resize(room.boundedTo(QSize(_WIDTH, _HEIGHT)))
        for earlier, later in ((self._next, self._skip), (self._skip, self._back), (self._back, self._languages)):
            self.setTabOrder(earlier, later)

    def _retranslate(self) -> None:
        self.setWindowTitle(title_text(tr("Set up Kiwoom Token Tray"), self._profile))
        set_text(self._back, tr("&Back"))
        hint = korean_font_hint()
        set_text(self._font_hint, hint)
        self._font_hint.setVisible(bool(hint))
        for page in self._pages.values():
            page.retranslate()

    def _restyle(self) -> None:
        set_stylesheet(self, window_stylesheet(self.palette()))
        fix_box_colours(self)
        tones = window_tones(self.palette())
        self._busy.set_colour(tones.good)
        self._dots.set_colour(tones.good)
        for page in self._pages.values():
            page.set_tones(tones)
