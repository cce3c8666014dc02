"""The smallest tray program that does everything the desktop can see; prints what happens to it."""

import sys
import threading

from PySide6.QtCore import QObject, Signal
from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QSystemTrayIcon


def say(*words: object) -> None:
    """Tells the test."""
    print(*words, flush=True)


class TinyTray(QObject):
    """One icon, one menu, one window."""

    answered = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.menu = QMenu()
        self.count = 10
        self.countdown = self.menu.addAction("10 minutes left", self.tick)
        self.menu.addAction("Say &hello", lambda: self.tray.showMessage("안녕하세요", "a message", self.icon("red")))
        self.menu.addAction(
            "Say it loud",
            lambda: self.tray.showMessage("Loud", "urgent", QSystemTrayIcon.MessageIcon.Critical),
        )
        self.menu.addSeparator()
        quiet = self.menu.addAction("Quiet")
        quiet.setCheckable(True)
        quiet.toggled.connect(lambda on: say("quiet", on))
        self.menu.addAction("Never").setEnabled(False)
        more = self.menu.addMenu("More")
        more.addAction("Open window", self.open)
        more.addAction("Ask keyring", lambda: threading.Thread(target=self.ask, daemon=True).start())
        self.menu.addAction("Quit", QApplication.quit)
        self.field = QLineEdit()
        self.field.setWindowTitle("작은 창")
        self.field.resize(300, 60)
        self.field.textChanged.connect(lambda text: say("typed", text))
        self.answered.connect(lambda text: say("keyring", text))
        # Qt does not move to a status-icon area that comes up later; a new icon goes there.
        self.watcher = QDBusServiceWatcher("org.kde.StatusNotifierWatcher", QDBusConnection.sessionBus())
        self.watcher.serviceRegistered.connect(self.show)
        self.tray: QSystemTrayIcon | None = None
        self.show()

    @staticmethod
    def icon(colour: str) -> QIcon:
        """A square."""
        square = QPixmap(32, 32)
        square.fill(QColor(colour))
        return QIcon(square)

    def show(self) -> None:
        """Makes a new icon."""
        if self.tray:  # it would register a second time when the area comes back
            self.tray.hide()
            self.tray.deleteLater()
        self.tray = QSystemTrayIcon(self.icon("seagreen"), self)
        self.tray.setToolTip("Tiny tray\nsecond line")
        self.tray.setContextMenu(self.menu)
        self.tray.activated.connect(lambda reason: say("activated", reason.name))
        self.tray.messageClicked.connect(lambda: say("message clicked"))
        self.tray.show()
        say("icon shown")

    def tick(self) -> None:
        """Counts down."""
        self.count -= 1
        self.countdown.setText(f"{self.count} minutes left")
        self.tray.setToolTip(f"{self.count} minutes left")

    def open(self) -> None:
        """Shows the window."""
        self.field.show()

    def ask(self) -> None:
        """Reads a secret, on a thread."""
        import keyring
        import keyring.errors

        try:
            answer = keyring.get_password("tiny-tray", "test")
        except keyring.errors.KeyringError as error:
            answer = type(error).__name__
        self.answered.emit(str(answer))


def main() -> None:
    """Runs until Quit."""
    app = QApplication(sys.argv)
    app.setApplicationName("tiny-tray")
    app.setQuitOnLastWindowClosed(False)
    tiny = TinyTray()
    app.aboutToQuit.connect(tiny.deleteLater)
    app.exec()
    say("bye")


if __name__ == "__main__":
    main()
