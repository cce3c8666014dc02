"""A field for each kind of setting. It shows a typed value, and hands back what the file would hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Qt, QTime, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QTimeEdit,
    QVBoxLayout,
    QWidget,
)

from tray_app.core.language import tr
from tray_app.core.wording import duration
from tray_app.desktop.look.style import make_button, make_text, mark
from tray_app.service.settings_changes import DAILY_MEANS
from tray_app.settings.kinds import Choice, File, Folder, Hours, Policy, RedisAddress, Span, Spans, Switch

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent

    from tray_app.settings.table import Setting

_SETTLE_MILLISECONDS = 400
"""The arrow keys pass through values that nobody means."""

_USUAL_SPANS = (3600, 1800, 600, 300, 60, 0)
_USUAL_QUIET_HOURS = (22 * 60, 7 * 60)
_USUAL_ROTATION = 6 * 60 + 30
_CHIPS_IN_A_ROW = 4
_INDENT = 24


class Field(QWidget):
    """`edited(value)` follows when the user has changed it: as the file would hold it, or None for the default."""

    edited = Signal(object)

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(parent)
        self.setting = setting
        self.setObjectName(f"field_{setting.name}")
        self._shown: object = None
        self._is_putting = False
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MILLISECONDS)
        self._settle.timeout.connect(self.flush)

    def show_value(self, value: Any, *, anew: bool = False) -> None:
        """What holds. With `anew` also in the place of what the user is just typing."""
        if anew:
            self._settle.stop()
        elif self._settle.isActive() or self.is_being_typed():
            return
        self._shown = self.setting.kind.write(value)
        self._is_putting = True
        self.put(value)
        self._is_putting = False

    def put(self, value: Any) -> None:
        """Shows the typed value."""
        raise NotImplementedError

    def value(self) -> object:
        """What is shown, as the file would hold it."""
        raise NotImplementedError

    def is_being_typed(self) -> bool:
        return False

    def inputs(self) -> list[QWidget]:
        """What takes the keyboard."""
        return []

    def retranslate(self) -> None:
        """Another language is spoken."""

    def soon(self) -> None:
        """Tells it when no more follows."""
        if not self._is_putting:
            self._settle.start()

    def flush(self) -> None:
        """Tells at once what has been changed."""
        self._settle.stop()
        if self._is_putting:
            return
        value = self.value()
        if value != self._shown:
            self._shown = value
            self.edited.emit(value)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._settle.isActive():
            self.flush()


class ChoiceField(Field):
    def __init__(self, setting: Setting, kind: Choice, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._kind = kind
        self._group = QButtonGroup(self)
        self._radios = {choice: QRadioButton(self) for choice in kind.choices}
        few = len(self._radios) <= 3
        body = QHBoxLayout(self) if few else QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(18 if few else 6)
        for choice, radio in self._radios.items():
            radio.setObjectName(f"{setting.name}_{choice}")
            self._group.addButton(radio)
            radio.toggled.connect(self.soon)
            body.addWidget(radio)
        if few:
            body.addStretch(1)
        self.retranslate()

    def put(self, value: Any) -> None:
        if value in self._radios:
            self._radios[value].setChecked(True)

    def value(self) -> object:
        return next((choice for choice, radio in self._radios.items() if radio.isChecked()), None)

    def inputs(self) -> list[QWidget]:
        return list(self._radios.values())

    def retranslate(self) -> None:
        for choice, radio in self._radios.items():
            words = self._kind.words(choice)
            radio.setText(words[:1].upper() + words[1:])


class SwitchField(Field):
    """The words of the setting stand beside the box itself."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._box = QCheckBox(self)
        self._box.setObjectName(f"{setting.name}_switch")
        self._box.toggled.connect(self.flush)
        body = QHBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(self._box)
        body.addStretch(1)
        self.retranslate()

    def put(self, value: Any) -> None:
        self._box.setChecked(value)

    def value(self) -> object:
        return self._box.isChecked()

    def inputs(self) -> list[QWidget]:
        return [self._box]

    def retranslate(self) -> None:
        self._box.setText(tr(self.setting.meaning))


class PolicyField(Field):
    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._radios = {one: QRadioButton(self) for one in ("notify", "auto", "daily")}
        self._means = {one: make_text(f"policy_{one}_means", self) for one in self._radios}
        self._time = _time_edit("policy_time", self)
        self._zone = QLabel("KST", self)
        self.put("auto")
        group = QButtonGroup(self)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(4)
        for one, radio in self._radios.items():
            radio.setObjectName(f"policy_{one}")
            group.addButton(radio)
            radio.toggled.connect(self._chosen)
            row = QHBoxLayout()
            row.addWidget(radio)
            if one == "daily":
                row.addWidget(self._time)
                row.addWidget(self._zone)
            row.addStretch(1)
            body.addLayout(row)
            mark(self._means[one], "quiet")
            self._means[one].setContentsMargins(_INDENT, 0, 0, 6)
            body.addWidget(self._means[one])
        self._time.timeChanged.connect(self.soon)
        self.retranslate()

    def put(self, value: Any) -> None:
        word, _, time = value.partition(" ")
        self._radios[word].setChecked(True)
        if time:
            self._time.setTime(QTime.fromString(time, "HH:mm"))
        elif not self._time.time().hour():
            self._time.setTime(_time_of(_USUAL_ROTATION))
        self._time.setEnabled(word == "daily")
        self._tell()

    def value(self) -> object:
        word = next(one for one, radio in self._radios.items() if radio.isChecked())
        return f"daily {self._time.time().toString('HH:mm')}" if word == "daily" else word

    def inputs(self) -> list[QWidget]:
        return [*self._radios.values(), self._time]

    def retranslate(self) -> None:
        self._radios["notify"].setText(tr("Only &warn"))
        self._radios["auto"].setText(tr("&Renew by itself"))
        self._radios["daily"].setText(tr("A new token every &day at"))
        self._time.setAccessibleName(tr("Time of the new token, in Korea"))
        self._means["notify"].setText(tr("You renew it, when you are told or before."))
        self._means["auto"].setText(tr("Shortly before its end and right after it. The token in use is never cut off."))
        self._tell()

    def _tell(self) -> None:
        self._means["daily"].setText(tr(DAILY_MEANS, time=self._time.time().toString("HH:mm")))

    def _chosen(self) -> None:
        self._time.setEnabled(self._radios["daily"].isChecked())
        self.soon()


class SpanField(Field):
    """Whole minutes, or seconds where the file says so."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._unit = 60
        self._number = QSpinBox(self)
        self._number.setObjectName(f"{setting.name}_number")
        self._number.setRange(0, 1440)
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._number.valueChanged.connect(self.soon)
        self._number.installEventFilter(_wheel_only_with_focus)
        self._number.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        body = QHBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(self._number)
        body.addStretch(1)
        self.retranslate()

    def put(self, value: Any) -> None:
        self._unit = 1 if value % 60 else 60
        self._number.setRange(0, 86400 // self._unit)
        self.retranslate()
        self._number.setValue(value // self._unit)

    def value(self) -> object:
        return self.setting.kind.write(self._number.value() * self._unit)

    def inputs(self) -> list[QWidget]:
        return [self._number]

    def retranslate(self) -> None:
        minutes, seconds = tr(" min"), tr(" s")
        self._number.setSuffix(minutes if self._unit == 60 else seconds)


class SpansField(Field):
    """The usual spans, and those that the file names besides, each to be switched on and off."""

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._chips: dict[int, QPushButton] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self._grid.setColumnStretch(_CHIPS_IN_A_ROW, 1)
        self._make(_USUAL_SPANS)

    def put(self, value: Any) -> None:
        if not set(value) <= set(self._chips):
            self._make({*_USUAL_SPANS, *value})
        for span, chip in self._chips.items():
            chip.setChecked(span in value)

    def value(self) -> object:
        return self.setting.kind.write([span for span, chip in self._chips.items() if chip.isChecked()])

    def inputs(self) -> list[QWidget]:
        return list(self._chips.values())

    def retranslate(self) -> None:
        for span, chip in self._chips.items():
            chip.setText(duration(span) if span else tr("at the end"))

    def _make(self, spans: Any) -> None:
        for chip in self._chips.values():
            chip.setParent(None)
            chip.deleteLater()
        self._chips = {}
        for number, span in enumerate(sorted(spans, reverse=True)):
            chip = self._chips[span] = make_button(f"{self.setting.name}_{span}", self)
            chip.setCheckable(True)
            chip.toggled.connect(self.soon)
            self._grid.addWidget(chip, number // _CHIPS_IN_A_ROW, number % _CHIPS_IN_A_ROW)
        self.retranslate()


class HoursField(Field):
    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._box = QCheckBox(self)
        self._box.setObjectName(f"{setting.name}_switch")
        self._start, self._end = _time_edit(f"{setting.name}_from", self), _time_edit(f"{setting.name}_to", self)
        self._between = QLabel("–", self)
        body = QHBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        for one in (self._box, self._start, self._between, self._end):
            body.addWidget(one)
        body.addStretch(1)
        self._put_times(_USUAL_QUIET_HOURS)
        self._box.toggled.connect(self._switched)
        self._start.timeChanged.connect(self.soon)
        self._end.timeChanged.connect(self.soon)
        self.retranslate()

    def put(self, value: Any) -> None:
        self._box.setChecked(value is not None)
        if value is not None:
            self._put_times(value)
        self._enable()

    def value(self) -> object:
        if not self._box.isChecked():
            return ""
        return "-".join(one.time().toString("HH:mm") for one in (self._start, self._end))

    def inputs(self) -> list[QWidget]:
        return [self._box, self._start, self._end]

    def retranslate(self) -> None:
        self._box.setText(tr("Every day"))
        self._start.setAccessibleName(tr("From"))
        self._end.setAccessibleName(tr("To"))

    def _put_times(self, hours: tuple[int, int]) -> None:
        self._start.setTime(_time_of(hours[0]))
        self._end.setTime(_time_of(hours[1]))

    def _enable(self) -> None:
        self._start.setEnabled(self._box.isChecked())
        self._end.setEnabled(self._box.isChecked())

    def _switched(self) -> None:
        self._enable()
        self.flush()


class LineField(Field):
    """One line of text, told when it is finished. Nothing in it means the default."""

    def __init__(self, setting: Setting, parent: QWidget, example: str = "") -> None:
        super().__init__(setting, parent)
        self._line = QLineEdit(self)
        self._line.setObjectName(f"{setting.name}_line")
        self._line.setPlaceholderText(example)
        self._line.editingFinished.connect(self.flush)
        self._body = QHBoxLayout(self)
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.addWidget(self._line, 1)

    def put(self, value: Any) -> None:
        text = self.setting.kind.text(value)
        if text != self._line.text():
            self._line.setText(text)
            self._line.setCursorPosition(0)
        self._line.setModified(False)
        self._shown = text.strip() or None

    def value(self) -> object:
        return self._line.text().strip() or None

    def is_being_typed(self) -> bool:
        return self._line.isModified() and self._line.hasFocus()

    def inputs(self) -> list[QWidget]:
        return [self._line]


class PathField(LineField):
    """A file or a folder, typed or looked for."""

    def __init__(self, setting: Setting, parent: QWidget, *, folder: bool) -> None:
        super().__init__(setting, parent)
        self._folder = folder
        self._browse = make_button(f"{setting.name}_browse", self)
        self._browse.clicked.connect(self._look_for)
        self._body.addWidget(self._browse)
        self.retranslate()

    def inputs(self) -> list[QWidget]:
        return [self._line, self._browse]

    def retranslate(self) -> None:
        self._browse.setText(tr("Browse…"))

    def _look_for(self) -> None:
        dialog = QFileDialog(self.window(), tr(self.setting.meaning), self._line.text())
        dialog.setObjectName(f"{self.setting.name}_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._folder:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        elif self.setting.name == "share_bot_file":
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._found)
        dialog.open()

    def _found(self, path: str) -> None:
        self._line.setText(os.path.normpath(path))  # Qt's has slashes
        self.flush()


def field_for(setting: Setting, parent: QWidget) -> Field:
    """The field of the setting's kind."""
    kind = setting.kind
    if isinstance(kind, Choice):
        return ChoiceField(setting, kind, parent)
    if isinstance(kind, (File, Folder)):
        return PathField(setting, parent, folder=isinstance(kind, Folder))
    plain: dict[type, type[Field]] = {
        Switch: SwitchField,
        Policy: PolicyField,
        Span: SpanField,
        Spans: SpansField,
        Hours: HoursField,
    }
    if type(kind) in plain:
        return plain[type(kind)](setting, parent)
    return LineField(setting, parent, example="rediss://host:6379/0" if isinstance(kind, RedisAddress) else "")


class _WheelOnlyWithFocus(QObject):
    """Who scrolls the page must not change what happens to pass under the mouse."""

    def eventFilter(self, watch_paths: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watch_paths, QWidget) and not watch_paths.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watch_paths, event)


_wheel_only_with_focus = _WheelOnlyWithFocus()


def _time_edit(name: str, parent: QWidget) -> QTimeEdit:
    edit = QTimeEdit(parent)
    edit.setObjectName(name)
    edit.setDisplayFormat("HH:mm")
    edit.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    edit.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    edit.installEventFilter(_wheel_only_with_focus)
    return edit


def _time_of(minutes: int) -> QTime:
    return QTime(minutes // 60, minutes % 60)
