"""The style sheet of the windows: flat buttons, one of them the main one, and cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QCheckBox, QComboBox, QLabel, QRadioButton

from tray_app.desktop.theme.colours import (
    edge_colour,
    faint_text_colour,
    on_accent_colour,
    text_colour,
    window_tones,
)
from tray_app.desktop.theme.contrast import SHAPE_CONTRAST, faded, mixed
from tray_app.desktop.theme.dark_mode import is_dark, is_high_contrast

if TYPE_CHECKING:
    from PySide6.QtWidgets import QPushButton, QWidget


LOOK_CHANGES = frozenset({QEvent.Type.PaletteChange, QEvent.Type.ThemeChange, QEvent.Type.ApplicationFontChange})
"""The events upon which a window sets its style sheet and colours anew."""

_FUSION_DARKENS = 140
"""Per cent by which Fusion darkens the window's colour for an outline."""


_FAINT_GROUND, _VISIBLE_GROUND = 0.06, 0.36
"""How much of the text's colour is in a box on a dark window: where it has an outline, and where it has to be seen
without one."""


def window_stylesheet(palette: QPalette, *, button: tuple[int, int] = (7, 14), main: tuple[int, int] = (7, 18)) -> str:
    """Return the style sheet for a window with this palette; empty in high contrast.

    Widgets name their role by dynamic properties: `main` for the main button, `card` for a frame. `button` and `main`
    are the vertical and horizontal padding of buttons in pixels.
    """
    if is_high_contrast():
        return ""
    tones = window_tones(palette)
    dark = is_dark(palette)
    card = "rgba(255, 255, 255, 0.06)" if dark else "rgba(0, 0, 0, 0.045)"
    edge = edge_colour(palette).name()
    over = "rgba(255, 255, 255, 0.10)" if dark else "rgba(0, 0, 0, 0.07)"
    field = "rgba(0, 0, 0, 0.25)" if dark else "#ffffff"
    text = text_colour(palette).name()
    faint = faint_text_colour(palette).name()
    accent = tones.good.name()
    on_accent = on_accent_colour(palette).name()
    window = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Window)
    handle = faded(text_colour(palette), mixed(window, QColor(255, 255, 255) if dark else QColor(0, 0, 0), 0.1)).name()
    return f"""
        QLabel[quiet="true"] {{ color: {tones.quiet.name()}; }}
        QFrame[card="true"] {{ background: {card}; border: none; border-radius: 10px; }}
        QLineEdit {{ background: {field}; color: {text}; border: 1px solid {edge}; border-radius: 6px;
            padding: 5px 8px; selection-background-color: {accent}; selection-color: {on_accent};
            placeholder-text-color: {tones.quiet.name()}; }}
        QAbstractSpinBox QLineEdit {{ background: transparent; border: none; padding: 0px; }}
        QTableView {{ selection-background-color: {accent}; selection-color: {on_accent}; }}
        QLineEdit:focus {{ border: 2px solid {accent}; padding: 4px 7px; }}
        QLineEdit:disabled {{ color: {faint}; }}
        QScrollBar:vertical {{ background: {over}; width: 12px; border-radius: 6px; margin: 0px; }}
        QScrollBar::handle:vertical {{ background: {handle}; border-radius: 5px; min-height: 36px; margin: 1px; }}
        QScrollBar::handle:vertical:hover {{ background: {text}; }}
        QScrollBar::add-line:vertical, QScrollBar::sub-line:vertical {{ height: 0px; }}
        QScrollBar::add-page:vertical, QScrollBar::sub-page:vertical {{ background: transparent; }}
        QPushButton {{ background: transparent; color: {text}; border: 1px solid {edge}; border-radius: 7px;
            padding: {_pixels(button)}; }}
        QPushButton:hover {{ background: {over}; }}
        QPushButton:checked {{ background: {over}; border-color: {accent}; }}
        QPushButton:focus {{ border: 2px solid {accent}; padding: {_pixels(button, less=1)}; }}
        QPushButton:disabled {{ color: {faint}; }}
        QPushButton[main="true"] {{ background: {accent}; color: {on_accent}; border: 1px solid {accent};
            font-weight: 600; padding: {_pixels(main)}; }}
        QPushButton[main="true"]:hover {{ background: {tones.good.lighter(112).name()}; }}
        QPushButton[main="true"]:pressed {{ background: {tones.good.darker(112).name()}; }}
        QPushButton[main="true"]:focus {{ border: 2px solid {text}; padding: {_pixels(main, less=1)}; }}
        QPushButton[main="true"]:disabled {{ background: {over}; color: {faint}; border-color: {edge}; }}
    """


def set_stylesheet(window: QWidget, style: str) -> None:
    """Give a window this style sheet, unless it has it: Qt would lay out and colour everything in it anew."""
    if window.styleSheet() != style:
        window.setStyleSheet(style)


def _pixels(padding: tuple[int, int], *, less: int = 0) -> str:
    return " ".join(f"{one - less}px" for one in padding)


def set_role(widget: QWidget, name: str) -> None:
    """Give a widget a role of `window_stylesheet`."""
    widget.setProperty(name, "true")


def set_main(button: QPushButton, *, is_main: bool) -> None:
    """Make a button the main one, or an ordinary one again, also while it is shown, which Qt must be told of."""
    if (button.property("main") == "true") is not is_main:
        button.setProperty("main", "true" if is_main else "false")
        button.style().unpolish(button)
        button.style().polish(button)


def fix_box_colours(window: QWidget) -> None:
    """Make the outlines of boxes and fields visible, and let boxes on dark windows look checked only where they are.

    WORKAROUND: for dark windows QWindowsTheme sets a palette of their own whose base is the accent colour (Qt 6.5 to
    6.11), so that the style Fusion draws all of them as if checked. Delete once Qt's dark palette on Windows has a base
    that is not the accent colour.

    WORKAROUND: Fusion draws outlines in the colour of the window, a little darker (Qt 6.11): on a light window with a
    contrast of 2, on a dark one of 1. Delete once it has a colour of its own for them.
    """
    palette = window.palette()
    ground = palette.color(QPalette.ColorRole.Base)
    draws_outlines = QApplication.style().name() == "fusion" and not is_high_contrast()
    if is_dark(palette) and not is_high_contrast():
        share = _FAINT_GROUND if draws_outlines else _VISIBLE_GROUND
        ground = mixed(palette.color(QPalette.ColorRole.Window), text_colour(palette), share)
    for box in (*window.findChildren(QRadioButton), *window.findChildren(QCheckBox)):
        own = box.palette()
        if own.color(QPalette.ColorRole.Base) != ground:
            own.setColor(QPalette.ColorRole.Base, ground)
            box.setPalette(own)
    if not is_high_contrast():
        _fade_disabled_texts(window, faint_text_colour(palette))
    if draws_outlines:
        _show_outlines(window, palette)


def _fade_disabled_texts(window: QWidget, colour: QColor) -> None:
    """Keep texts that cannot be used legible; those of Fusion have a contrast of less than 2."""
    group, roles = QPalette.ColorGroup.Disabled, QPalette.ColorRole
    for kind in (QLabel, QRadioButton, QCheckBox, QComboBox, QAbstractSpinBox):
        for one in window.findChildren(kind):
            own = one.palette()
            if own.color(group, roles.WindowText) == own.color(QPalette.ColorGroup.Active, roles.WindowText):
                continue  # it has a colour of its own
            for role in (roles.WindowText, roles.Text, roles.ButtonText):
                own.setColor(group, role, colour)
            one.setPalette(own)


def _show_outlines(window: QWidget, palette: QPalette) -> None:
    ground = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Window)
    outline = faded(text_colour(palette), ground, SHAPE_CONTRAST + 1.7).lighter(_FUSION_DARKENS)
    kinds = (QRadioButton, QCheckBox, QComboBox, QAbstractSpinBox)
    for field in (one for kind in kinds for one in window.findChildren(kind)):
        own = field.palette()
        if own.color(QPalette.ColorRole.Window) != outline:
            own.setColor(QPalette.ColorRole.Window, outline)
            field.setPalette(own)


def set_text_colour(label: QLabel, colour: QColor) -> None:
    palette = label.palette()
    palette.setColor(QPalette.ColorRole.WindowText, colour)
    label.setPalette(palette)
