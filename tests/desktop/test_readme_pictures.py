"""The pictures of the README show the program as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from .readme_pictures import FOLDER, LOCALES, take, take_first_start
from .session import Desktop

_GRID = 24
_LIKE = 0.03
"""The countdown and the day of the week change a picture less than this; anything that moves changes it more."""


@pytest.mark.parametrize("language", LOCALES)
def test_pictures_are_of_this_program(desktop: Desktop, language: str, tmp_path: Path) -> None:
    taken = take(desktop, tmp_path, language)
    assert sorted(path.stem for path in taken) == sorted(
        f"{name}-{language}" for name in ("history", "mended", "menu", "notice", "settings", "window")
    )
    for path in taken:
        assert_alike(path, FOLDER / path.name)


@pytest.mark.parametrize("language", LOCALES)
def test_picture_of_the_first_start_is_of_this_program(desktop: Desktop, language: str, tmp_path: Path) -> None:
    path = take_first_start(desktop, tmp_path, language)
    assert_alike(path, FOLDER / path.name)


def test_readme_shows_every_picture() -> None:
    readmes = {"ko": FOLDER.parents[1] / "README.md", "en": FOLDER.parents[1] / "README.en.md"}
    texts = {language: path.read_text(encoding="utf-8") for language, path in readmes.items()}
    pictures = [path.name for path in FOLDER.glob("*.png")]
    assert [name for name in pictures if f"docs/pictures/{name}" not in texts[name[-6:-4]]] == []


def assert_alike(now: Path, kept: Path) -> None:
    advice = f"{kept.name} is out of date; take it anew: python -m tests.desktop.readme_pictures"
    one, other = QImage(str(now)), QImage(str(kept))
    assert not other.isNull(), advice
    # "6 h left (until 06:30)" is shorter than "9 h 10 min left (until 06:30 tomorrow)".
    assert one.width() == pytest.approx(other.width(), rel=0.4), advice
    assert one.height() == pytest.approx(other.height(), rel=0.1), advice
    width, height = min(one.width(), other.width()), min(one.height(), other.height())
    assert difference(one.copy(0, 0, width, height), other.copy(0, 0, width, height)) < _LIKE, advice


def difference(one: QImage, other: QImage) -> float:
    """The mean difference of brightness over a coarse grid, 0 to 1."""
    cells = [
        image.scaled(_GRID, _GRID, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
        for image in (one, other)
    ]
    pairs = [[cell.pixelColor(x, y).lightnessF() for cell in cells] for x in range(_GRID) for y in range(_GRID)]
    return sum(abs(a - b) for a, b in pairs) / len(pairs)
