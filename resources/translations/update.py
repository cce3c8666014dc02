"""Brings the windows' Korean up to date: python resources/translations/update.py

Collects the strings of `tray_app/desktop`, then compiles the catalogue. What is not translated yet stands in
the .ts file as `unfinished`: translate it there and run this again. Ends with 1 while something is unfinished.
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "tray_app" / "desktop"
CATALOGUE = HERE / "kiwoom-token-tray_ko.ts"
_OTHER_CATALOGUE = re.compile(r"<context>\s*<name></name>.*?</context>\n", re.DOTALL)
"""Calls of `tr` without a context: sentences of the core, which lie in the gettext catalogue."""


def main() -> int:
    tools = Path(sys.executable).parent
    sources = [str(path) for path in sorted(SOURCES.glob("*.py"))]
    update = [str(tools / "pyside6-lupdate"), *sources, "-ts", str(CATALOGUE), "-no-obsolete", "-locations", "none"]
    subprocess.run(update, check=True)
    text = _OTHER_CATALOGUE.sub("", CATALOGUE.read_text(encoding="utf-8"))
    CATALOGUE.write_text(text, encoding="utf-8", newline="\n")
    subprocess.run([str(tools / "pyside6-lrelease"), str(CATALOGUE)], check=True)
    return 1 if 'type="unfinished"' in text else 0


if __name__ == "__main__":
    sys.exit(main())
