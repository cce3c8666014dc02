"""The icon: every meaning has a shape of its own, at every size, without colour."""

from __future__ import annotations

import itertools
import struct
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtGui")

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication

from tray_app.desktop.icons.app_icon import APP_ICON_SIZES, app_icon, paint_app_icon
from tray_app.desktop.icons.first_icon import first_icon
from tray_app.desktop.icons.shapes import digit
from tray_app.desktop.icons.state_icon import LEVELS, SIZES, IconBadge, IconSpec, Phase, level_of, paint_icon, tray_icon
from tray_app.desktop.theme import colours, dark_mode
from tray_app.system.resources import resources_folder

pytestmark = pytest.mark.usefixtures("qapp")

MEANINGS = {
    "full": IconSpec(Phase.VALID, LEVELS),
    "half": IconSpec(Phase.VALID, LEVELS // 2),
    "hours": IconSpec(Phase.VALID, level_of(0.1)),
    "below an hour": IconSpec(Phase.HOUR, LEVELS // 2),
    "below 30 minutes": IconSpec(Phase.SOON, minutes=22),
    "low": IconSpec(Phase.LOW, minutes=7),
    "ending": IconSpec(Phase.ENDING),
    "expired": IconSpec(Phase.EXPIRED),
    "none": IconSpec(Phase.NONE),
    "busy": IconSpec(Phase.VALID, busy=True),
    "dead": IconSpec(Phase.DEAD),
    "unconfirmed": IconSpec(Phase.UNCONFIRMED),
    "problem": IconSpec(Phase.VALID, LEVELS, badge=IconBadge.PROBLEM),
    "renewal failing": IconSpec(Phase.VALID, LEVELS, badge=IconBadge.FAILING),
    "keyring locked": IconSpec(Phase.VALID, LEVELS, badge=IconBadge.LOCKED),
    "keyring locked, no token": IconSpec(Phase.NONE, badge=IconBadge.LOCKED),
    "stopped": IconSpec(Phase.VALID, LEVELS, badge=IconBadge.STOPPED),
    "below 30 minutes, renewal failing": IconSpec(Phase.SOON, minutes=22, badge=IconBadge.FAILING),
    "below 30 minutes, keyring locked": IconSpec(Phase.SOON, minutes=22, badge=IconBadge.LOCKED),
    "below 30 minutes, stopped": IconSpec(Phase.SOON, minutes=22, badge=IconBadge.STOPPED),
    "low, renewal failing": IconSpec(Phase.LOW, minutes=7, badge=IconBadge.FAILING),
}


@cache
def silhouette(spec: IconSpec, size: int) -> list[int]:
    """The icon's opaqueness at each pixel, whatever its colours."""
    image = paint_icon(spec, size, dark_panel=True, mask=True)
    return [image.pixelColor(x, y).alpha() for y in range(size) for x in range(size)]


@cache
def on_panel(spec: IconSpec, size: int, *, thought_dark: bool, ground: str) -> list[float]:
    """The lightness of each pixel of the icon on a panel of this colour."""
    picture = QImage(size, size, QImage.Format.Format_RGB32)
    picture.fill(QColor(ground))
    painter = QPainter(picture)
    painter.drawImage(0, 0, paint_icon(spec, size, thought_dark))
    painter.end()
    return [picture.pixelColor(x, y).lightnessF() for y in range(size) for x in range(size)]


@pytest.mark.parametrize("size", [16, 22, 24, 32, 64])
@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(MEANINGS, 2)))
def test_meanings_differ_in_shape_alone(one: str, other: str, size: int) -> None:
    shapes = [silhouette(MEANINGS[name], size) for name in (one, other)]
    different = sum(abs(a - b) > 100 for a, b in zip(*shapes, strict=True))
    assert different >= size * size * 0.02


@pytest.mark.parametrize(("dark", "ground"), [(True, "#202020"), (False, "#f3f3f3")])
@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(MEANINGS, 2)))
def test_meanings_can_be_told_apart_on_each_panel_at_16_pixels(one: str, other: str, dark: bool, ground: str) -> None:
    pictures = [on_panel(MEANINGS[name], 16, thought_dark=dark, ground=ground) for name in (one, other)]
    assert sum(abs(a - b) > 0.25 for a, b in zip(*pictures, strict=True)) >= 8


@pytest.mark.parametrize(("phase", "minutes"), [(Phase.SOON, range(10, 30)), (Phase.LOW, range(5, 10))])
def test_each_minute_of_the_last_half_hour_has_a_picture(phase: Phase, minutes: range) -> None:
    shapes = {tuple(silhouette(IconSpec(phase, minutes=one), 16)) for one in minutes}
    assert len(shapes) == len(minutes)


@pytest.mark.parametrize("badge", IconBadge)
def test_a_badge_leaves_the_minutes_legible(badge: IconBadge) -> None:
    """One in the corner would turn 22 minutes into 2."""
    for minutes in (7, 22):
        phase = Phase.SOON if minutes > 9 else Phase.LOW
        image = paint_icon(IconSpec(phase, minutes=minutes, badge=badge), 16, dark_panel=True, mask=True)
        for place, one in enumerate(str(minutes)):
            left = round(8 - (7 * len(str(minutes)) - 1) / 2) + 7 * place
            shape = digit(int(one), left, 0, 2)
            for x, y in itertools.product(range(left, left + 6), range(12)):
                drawn = image.pixelColor(x, y).alpha() > 100
                assert drawn == shape.contains(QPointF(x + 0.5, y + 0.5)), (one, x, y)


@pytest.mark.parametrize("ground", ["#000000", "#202020", "#f3f3f3", "#ffffff"])
@pytest.mark.parametrize("thought_dark", [True, False])
@pytest.mark.parametrize("name", MEANINGS)
def test_icon_is_visible_on_every_panel_even_if_its_brightness_is_misjudged(
    name: str, thought_dark: bool, ground: str
) -> None:
    pixels = on_panel(MEANINGS[name], 16, thought_dark=thought_dark, ground=ground)
    bare = QColor(ground).lightnessF()
    assert sum(abs(pixel - bare) > 0.25 for pixel in pixels) >= 20


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", MEANINGS)
def test_icon_stays_inside_and_fills_its_square(name: str, size: int) -> None:
    shape = silhouette(MEANINGS[name], size)
    rows = [y for y in range(size) if max(shape[y * size : (y + 1) * size]) > 100]
    assert rows[0] <= size * 0.25
    assert rows[-1] >= size * 0.75 - 1


def test_ring_is_symmetric_on_whole_pixels() -> None:
    shape = silhouette(MEANINGS["full"], 16)
    top = shape[16 * 1 + 7 : 16 * 1 + 9]
    assert top[0] == top[1] == max(top) > 200
    assert max(abs(one - other) for one, other in zip(shape, shape[::-1], strict=True)) <= 2


def test_gap_of_the_ring_grows_clockwise() -> None:
    most = paint_icon(IconSpec(Phase.VALID, level_of(0.8)), 64, dark_panel=True, mask=True)
    right, left = most.pixelColor(40, 10).alpha(), most.pixelColor(23, 10).alpha()
    assert left > right


@pytest.mark.parametrize(("fraction", "level"), [(1.0, LEVELS), (2.0, LEVELS), (0.5, LEVELS // 2), (0.0, 4), (0.01, 4)])
def test_level_is_never_too_small_to_see(fraction: float, level: int) -> None:
    assert level_of(fraction) == level


def test_same_spec_is_the_same_icon_object() -> None:
    first = tray_icon(IconSpec(Phase.VALID, 20), dark_panel=True)
    assert tray_icon(IconSpec(Phase.VALID, 20), dark_panel=True) is first
    assert tray_icon(IconSpec(Phase.VALID, 21), dark_panel=True) is not first
    assert tray_icon(IconSpec(Phase.VALID, 20), dark_panel=False) is not first


def test_every_level_changes_a_pixel_of_some_size() -> None:
    pictures = [
        bytes(paint_icon(IconSpec(Phase.VALID, level), 64, dark_panel=True).constBits())
        for level in range(4, LEVELS + 1)
    ]
    assert len(set(pictures)) == len(pictures)


def test_tray_icon_has_the_sizes_of_the_panels() -> None:
    sizes = {size.width() for size in tray_icon(IconSpec(Phase.LOW), dark_panel=True).availableSizes()}
    assert {16, 22, 24, 32, 48, 64} <= sizes


def test_mask_is_left_to_the_menu_bar_to_colour() -> None:
    assert tray_icon(IconSpec(Phase.LOW), dark_panel=True, mask=True).isMask()
    image = paint_icon(IconSpec(Phase.ENDING), 32, dark_panel=True, mask=True)
    colours = {image.pixelColor(x, y).rgb() & 0xFFFFFF for x in range(32) for y in range(32)}
    assert colours == {0}


@pytest.mark.parametrize("size", APP_ICON_SIZES)
def test_app_icon_is_there_in_every_size(size: int) -> None:
    assert app_icon().actualSize(QSize(size, size)) == QSize(size, size)
    assert paint_app_icon(size).pixelColor(size // 2, size // 4 * 3).alpha() == 255


def test_icon_files_hold_every_size() -> None:
    folder = Path(resources_folder()) / "icons"
    assert QImage(str(folder / "kiwoom-token-tray.png")).width() == 256
    assert (folder / "kiwoom-token-tray.svg").read_text(encoding="utf-8").startswith("<svg ")
    data = (folder / "kiwoom-token-tray.ico").read_bytes()
    _, kind, count = struct.unpack_from("<HHH", data)
    entries = [struct.unpack_from("<BBBBHHII", data, 6 + 16 * number) for number in range(count)]
    assert kind == 1
    assert tuple(entry[0] or 256 for entry in entries) == APP_ICON_SIZES
    for width, _, _, _, _, _, length, at in entries:
        assert QImage.fromData(data[at : at + length], "PNG").width() == (width or 256)  # type: ignore[arg-type]


@pytest.mark.parametrize("dark", [True, False])
def test_first_icon_is_what_would_be_painted(dark: bool) -> None:
    painted = paint_icon(IconSpec(Phase.NONE, busy=True), max(SIZES), dark)
    size = QSize(max(SIZES), max(SIZES))
    shown = first_icon(dark).pixmap(size).toImage().convertToFormat(painted.format())
    assert shown.size() == size
    for x in range(size.width()):
        for y in range(size.height()):
            assert abs(shown.pixelColor(x, y).alpha() - painted.pixelColor(x, y).alpha()) <= 1
    assert first_icon(dark, mask=True).isMask()


@pytest.mark.parametrize(
    ("desktop", "dark"),
    [("GNOME", True), ("ubuntu:GNOME", True), ("XFCE", True), ("X-Cinnamon", True), ("", True), ("KDE", None)],
)
def test_panel_on_linux(desktop: str, dark: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for windows_dark in (True, False):
        monkeypatch.setattr(dark_mode, "window_is_dark", lambda answer=windows_dark: answer)
        expected = windows_dark if dark is None else dark
        assert dark_mode.panel_is_dark("auto", "linux", {"XDG_CURRENT_DESKTOP": desktop}) is expected


@pytest.mark.parametrize(("choice", "dark"), [("dark", True), ("light", False)])
@pytest.mark.parametrize("platform", ["win32", "darwin", "linux"])
def test_users_word_on_the_panel_is_the_last(platform: str, choice: str, dark: bool) -> None:
    assert dark_mode.panel_is_dark(choice, platform, {}) is dark


def test_panel_is_judged_by_the_desktop_not_by_the_theme_chosen_for_the_windows(
    qapp: QApplication, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: dark_mode.apply_window_theme("auto"))
    dark_mode.apply_window_theme("auto")
    desktop = dark_mode.panel_is_dark("auto", "linux", {"XDG_CURRENT_DESKTOP": "KDE"})
    for choice in ("light", "dark"):
        dark_mode.apply_window_theme(choice)
        assert dark_mode.panel_is_dark("auto", "linux", {"XDG_CURRENT_DESKTOP": "KDE"}) is desktop


def test_taskbar_of_windows_in_high_contrast_has_the_colours_of_the_windows(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    before = QPalette(qapp.palette())
    request.addfinalizer(lambda: qapp.setPalette(before))
    monkeypatch.setattr(dark_mode, "is_high_contrast", lambda: True)
    monkeypatch.setattr(dark_mode, "taskbar_is_light", lambda: False)
    for ground, dark in (("#ffffff", False), ("#000000", True)):
        qapp.setPalette(QPalette(QColor(ground)))
        assert dark_mode.panel_is_dark("auto", "win32", {}) is dark


@pytest.mark.parametrize("dark", [False, True])
def test_panel_on_windows_is_the_taskbars_theme(dark: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dark_mode, "taskbar_is_light", lambda: not dark)
    monkeypatch.setattr(dark_mode, "window_is_dark", lambda: not dark)
    assert dark_mode.panel_is_dark("auto", "win32", {}) is dark


def _contrast(one: QColor, other: QColor) -> float:
    def luminance(colour: QColor) -> float:
        parts = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (colour.redF(), colour.greenF(), colour.blueF())
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("tones", "ground"),
    [
        (colours.PANEL_DARK, "#2b2b2b"),
        (colours.PANEL_LIGHT, "#eeeeee"),
        (colours.WINDOW_DARK, "#2b2d30"),
        (colours.WINDOW_LIGHT, "#efefef"),
    ],
)
@pytest.mark.parametrize("tone", list(colours.Tone))
def test_tones_are_legible(tones: colours.Tones, ground: str, tone: colours.Tone) -> None:
    assert _contrast(tones.of(tone), QColor(ground)) >= 4.5


@pytest.mark.parametrize(("value", "holes"), [*enumerate((1, 0, 0, 0, 0, 0, 1, 0, 2, 1))])
def test_a_digit_has_the_holes_that_tell_it_from_others(value: int, holes: int) -> None:
    """A zero with a bar in the middle would be an eight: ten minutes would read as eighteen."""
    assert len(digit(value, 0.0, 0.0, 2.0).toSubpathPolygons()) == holes + 1


@pytest.mark.parametrize("value", [0, 2, 3, 5, 6, 8, 9])
def test_a_digit_that_stands_on_a_bar_has_it_below_all_else(value: int) -> None:
    bottom = [digit(value, 0.0, 0.0, 2.0).contains(QPointF(x, 11.0)) for x in (1.0, 3.0, 5.0)]
    assert bottom == [True] * 3
