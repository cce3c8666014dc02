"""Draw the icon files of the program: python resources/icons/draw.py

The paths are those of `tray_app.desktop.icons.app_icon`, the first icon in the panel is one of `state_icon`.
"""

import os
import struct
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from PySide6.QtCore import QBuffer, QIODevice  # noqa: E402
from PySide6.QtGui import QGuiApplication, QImage, QPainterPath  # noqa: E402

from tray_app.desktop.icons.app_icon import APP_ICON_COLOURS, APP_ICON_SIZES, app_icon_paths, paint_app_icon  # noqa: E402
from tray_app.desktop.icons.state_icon import SIZES, IconSpec, Phase, paint_icon  # noqa: E402

NAME = "kiwoom-token-tray"
_KIND = QPainterPath.ElementType


def png(picture: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not picture.save(buffer, "PNG"):  # type: ignore[call-overload]
        raise OSError("the picture could not be written")
    return bytes(buffer.data().data())


def starting(dark_panel: bool) -> QImage:
    """The icon of a program that looks for its token."""
    return paint_icon(IconSpec(Phase.NONE, busy=True), max(SIZES), dark_panel)


def ico(sizes: tuple[int, ...]) -> bytes:
    """A Windows icon of PNG pictures: a directory of 16 bytes for each, then the pictures."""
    pictures = [png(paint_app_icon(size)) for size in sizes]
    head = struct.pack("<HHH", 0, 1, len(pictures))
    at = len(head) + 16 * len(pictures)
    for size, picture in zip(sizes, pictures, strict=True):
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(picture), at)
        at += len(picture)
    return head + b"".join(pictures)


def outline(path: QPainterPath) -> str:
    words: list[str] = []
    start = ""
    for number in range(path.elementCount()):
        element = path.elementAt(number)
        kind = QPainterPath.ElementType(element.type)
        point = f"{element.x:.2f} {element.y:.2f}"
        if kind is _KIND.MoveToElement:
            start = point
            words.append(f"M{point}")
        elif kind is _KIND.LineToElement:
            words.append("Z" if point == start else f"L{point}")
        elif kind is _KIND.CurveToElement:
            words.append(f"C{point}")
        else:
            words.append(point)
    return " ".join(words)


def svg(size: int = 256) -> str:
    top, bottom, *colours = APP_ICON_COLOURS
    tile, *marks = app_icon_paths(size)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size}" height="{size}">',
        '<linearGradient id="tile" x1="0" y1="0" x2="0" y2="1">',
        f'<stop offset="0" stop-color="{top}"/><stop offset="1" stop-color="{bottom}"/>',
        "</linearGradient>",
        f'<path fill="url(#tile)" d="{outline(tile)}"/>',
        *(f'<path fill="{colour}" d="{outline(path)}"/>' for colour, path in zip(colours, marks, strict=True)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    application = QGuiApplication([])
    (HERE / f"{NAME}.svg").write_text(svg(), encoding="utf-8", newline="\n")
    (HERE / f"{NAME}.png").write_bytes(png(paint_app_icon(256)))
    (HERE / f"{NAME}.ico").write_bytes(ico(APP_ICON_SIZES))
    for name, is_dark in (("dark", True), ("light", False)):
        (HERE / f"starting-on-{name}.png").write_bytes(png(starting(is_dark)))
    application.quit()


if __name__ == "__main__":
    main()
