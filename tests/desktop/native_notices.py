"""A program that shows and withdraws a notice through the real `desktop-notifier` as it is told on its input."""

from __future__ import annotations

import sys

from tray_app.desktop.bubble import Bubble, NoNotices
from tray_app.desktop.native_notices import NativeNotices

BUBBLE = Bubble("main", "Title", "Body", "Open", (("refresh", "Refresh"), ("snooze-1800", "Snooze")), urgent=True)


def main() -> None:
    native = NativeNotices("KiwoomTokenTray", "Kiwoom Token Tray", "/no/icon.png", print)
    for line in sys.stdin:
        try:
            if line.strip() == "show":
                native.show(BUBBLE)
            else:
                native.withdraw("main")
        except NoNotices:
            print("no notices")


main()
