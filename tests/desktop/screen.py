"""What is on the screen, and a person's hands: windows, pictures, mouse and keys."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class ScreenError(Exception):
    """A program that looks at or touches the screen failed."""


@dataclass(frozen=True, slots=True)
class Window:
    """A visible window with a title."""

    id: int
    title: str
    wm_class: str
    x: int
    y: int
    width: int
    height: int


class Screen:
    """The X screen of a desktop."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        # xdotool reads and writes titles and text in the locale's encoding.
        self._environment = {**environment, "LC_ALL": "C.UTF-8"}

    def run(self, *command: str | int | Path, timeout: float = 15.0) -> str:
        """Output of a command that works on this screen; raises ScreenError when it fails."""
        words = [os.fspath(word) if isinstance(word, Path) else str(word) for word in command]
        try:
            done = subprocess.run(
                words, env=self._environment, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise ScreenError(f"{' '.join(words)} hangs") from None
        if done.returncode:
            raise ScreenError(f"{' '.join(words)}: {done.stderr.strip() or f'status {done.returncode}'}")
        return done.stdout

    def ids(self, *criteria: str) -> list[int]:
        """Visible windows that match xdotool's search criteria."""
        try:
            return [int(line) for line in self.run("xdotool", "search", "--onlyvisible", *criteria).split()]
        except ScreenError:
            return []

    def windows(self, *criteria: str) -> list[Window]:
        """Visible windows with a title, or those that match xdotool's search criteria."""
        found = []
        for ident in self.ids(*(criteria or ("--name", "."))):
            try:
                found.append(self.window(ident))
            except ScreenError:  # it went away in between
                continue
        return found

    def window(self, ident: int) -> Window:
        """Reads one window."""
        title, *geometry = self.run(
            "xdotool", "getwindowname", ident, "getwindowgeometry", "--shell", ident
        ).splitlines()
        values = dict(line.split("=", 1) for line in geometry if "=" in line)
        wm_class = self.run("xprop", "-id", ident, "-notype", "WM_CLASS").rpartition('", "')[2].strip('"\n')
        return Window(
            ident, title, wm_class, int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])
        )

    def picture(self, path: Path, window: int | None = None) -> Path:
        """Takes a picture of the screen, or of one window, raised first so that nothing covers it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if window is not None:
            self.run("xdotool", "windowraise", window, "sleep", "0.1")
        self.run("import", "-window", "root" if window is None else window, path)
        return path

    def pixels(self, window: Window) -> bytes:
        """RGB of a window, row by row, 8 bits a channel."""
        crop = f"{window.width}x{window.height}+{window.x}+{window.y}"
        command = ["import", "-window", "root", "-crop", crop, "-depth", "8", "rgb:-"]
        return subprocess.run(command, env=self._environment, capture_output=True, timeout=15, check=True).stdout

    def click(self, x: int, y: int, button: int = 1) -> None:
        """Moves the mouse there (pixels of the screen) and clicks."""
        self.run("xdotool", "mousemove", x, y, "sleep", "0.05", "click", button)

    def focus(self, window: int) -> None:
        """Brings a window to the front and gives it the keyboard."""
        # The window manager calls it active before the program has taken the keyboard.
        self.run("xdotool", "windowactivate", "--sync", window, "windowfocus", "--sync", window)

    def type(self, text: str) -> None:
        """Types ASCII text into whatever has the keyboard.

        Anything else needs a changed key map for each letter, which programs notice too late now and then.
        """
        if not text.isascii():
            raise ValueError(f"no keys for {text!r}")
        self.run("xdotool", "type", "--delay", 12, "--", text, timeout=15 + len(text) / 10)

    def press(self, *keys: str) -> None:
        """Presses keys by their X names (Return, Escape, ctrl+a) one after the other."""
        self.run("xdotool", "key", "--delay", 12, *keys)
