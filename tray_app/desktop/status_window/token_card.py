"""The card below the dial: where the token is stored, the last event and the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.desktop.theme.colours import Tone, Tones, text_colour, window_tones
from tray_app.desktop.theme.stylesheet import set_role, set_text_colour
from tray_app.desktop.widgets.accessible import alert
from tray_app.desktop.widgets.basics import make_label, set_text
from tray_app.desktop.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from tray_app.desktop.view.model import View


class TokenCard(QFrame):
    """Where the token is stored, the last event and the next one."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("details")
        set_role(self, "card")
        self._tones = window_tones(self.palette())
        self._last_tone = Tone.QUIET
        self._account = ""
        self._event_at: float | None = None
        self.place = make_label("place", self)
        self.path = ElidedLabel(self)
        self.path.setObjectName("placePath")
        self.why = make_label("placeWhy", self, wrap=True)
        self.last = make_label("last", self, wrap=True)
        self.confirmed = make_label("confirmed", self, wrap=True)
        self.last_at = make_label("lastAt", self)
        self.coming = make_label("coming", self, wrap=True)
        self._captions = [make_label(f"name{number}", self) for number in range(3)]
        place = QVBoxLayout()
        place.setSpacing(1)
        for widget in (self.place, self.path, self.why):
            place.addWidget(widget)
        last = QVBoxLayout()
        last.setSpacing(0)
        last.addWidget(self.last)
        last.addWidget(self.confirmed)
        form = QFormLayout(self)
        form.setContentsMargins(14, 12, 14, 12)
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(9)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self._captions[0], place)
        form.addRow(self._captions[1], last)
        form.addRow(self._captions[2], self.coming)
        for caption, value in zip(self._captions, (self.place, self.last, self.coming), strict=True):
            caption.setBuddy(value)
        self.last_at.hide()
        self.path.hide()
        self.why.hide()
        self.confirmed.hide()
        self.coming.setMinimumHeight(2 * self.coming.fontMetrics().lineSpacing())

    def event(self, event: QEvent) -> bool:
        """WORKAROUND: a form keeps the heights of its lines when a text within it grows, and cuts them (seen with Qt
        6.12 where no Korean font is installed). Delete once `test_no_line_of_the_card_is_cut` passes there without
        it."""
        layout = self.layout()
        if event.type() == QEvent.Type.LayoutRequest and layout is not None:
            layout.invalidate()
        return super().event(event)

    def retranslate(self) -> None:
        for label, text in zip(
            self._captions,
            (tr("Stored in"), tr("Last event"), tr("Next")),
            strict=True,
        ):
            label.setText(text)

    def show_view(self, view: View) -> None:
        set_text(self.place, view.place or "–")
        self.path.show_text(view.place_path)
        set_text(self.why, view.place_why)
        self.why.setVisible(bool(view.place_why))
        last = f"{view.last_at} · {view.last}" if view.last else ""
        set_text(self.last, last or view.confirmed or "–")
        set_text(self.confirmed, view.confirmed if last else "")
        self.confirmed.setVisible(bool(self.confirmed.text()))
        snooze = view.snooze_text if view.is_snoozed else ""
        is_snoozed_now = bool(snooze) and snooze not in self.coming.text()
        set_text(self.coming, "\n".join(text for text in (view.coming, snooze) if text) or "–")
        self._tell(view, is_snoozed_now=is_snoozed_now)
        if view.last_tone is not self._last_tone:
            self._last_tone = view.last_tone
            self._colour_texts()

    def _tell(self, view: View, *, is_snoozed_now: bool) -> None:
        """Let a screen reader say what is new; of an account that was not shown before, only what is wrong."""
        was_shown, self._account = view.account == self._account, view.account
        is_new = not was_shown or view.event_at != self._event_at
        self._event_at = view.event_at
        if is_new and view.event_at is not None and (was_shown or view.last_tone is not Tone.QUIET):
            alert(self.last)
        if is_snoozed_now and was_shown:
            alert(self.coming)

    def set_tones(self, tones: Tones) -> None:
        self._tones = tones
        self._colour_texts()

    def _colour_texts(self) -> None:
        text = text_colour(self.palette())
        last = text if self._last_tone is Tone.QUIET else self._tones.of(self._last_tone)
        for label, colour in (
            (self.place, text),
            (self.coming, text),
            (self.confirmed, text),  # a failure after it takes nothing from it
            (self.last, last),
            (self.why, self._tones.low),
            (self.path, self._tones.quiet),
        ):
            set_text_colour(label, colour)
        for label in self._captions:
            set_text_colour(label, self._tones.quiet)
