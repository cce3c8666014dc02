"""Write the licences of all that a package contains: python notices.py FOLDER OUTPUT

FOLDER is what PyInstaller has built. The texts come from the metadata of the installed distributions; for the libraries
of a Debian or Ubuntu system, from its packages.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).resolve().parent
PROGRAM = "kiwoom-token-tray"
EXTRAS = ("tray", "redis", "encryption", "socks")
LICENCE_FILE = re.compile(r"(^|/)(LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*$", re.IGNORECASE)
RULE = "=" * 100


def main(folder: Path, output: Path) -> None:
    parts = [
        "Kiwoom Token Tray contains the following software of others. Its own licence is in LICENSE.txt.\n",
        _python(),
        *map(_of_distribution, _distributions()),
        _pyinstaller(),
        *_of_system_libraries(folder),
        *(f"{RULE}\n{name}\n\n{_read(HERE / 'licenses' / f'{name}.txt')}" for name in ("LGPL-3.0", "GPL-3.0")),
    ]
    output.write_text("\n".join(parts), encoding="utf-8")


def _distributions() -> list[Distribution]:
    """Return what the program needs with all its extras, by name."""
    found: dict[str, Distribution] = {}
    wanted = [Requirement(f"{PROGRAM}[{','.join(EXTRAS)}]")]
    while wanted:
        one = wanted.pop()
        try:
            there = distribution(one.name)
        except PackageNotFoundError:
            if one.name.replace("_", "-").lower() in {"pip", "setuptools"}:
                continue
            raise
        name = canonicalize_name(one.name)
        if name in found and not one.extras:
            continue
        found[name] = there
        for text in there.requires or ():
            needs = Requirement(text)
            if needs.marker is None or any(needs.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)):
                wanted.append(needs)
    found.pop(PROGRAM)
    return [found[name] for name in sorted(found)]


def _of_distribution(one: Distribution) -> str:
    about = one.metadata
    licence = about.get("License-Expression") or _classifier(about.get_all("Classifier") or []) or about.get("License")
    pages = dict(one.partition(", ")[::2] for one in about.get_all("Project-URL") or [])
    named = (pages[name] for name in ("Homepage", "homepage", "Source", "Source Code", "Repository") if name in pages)
    home = about.get("Home-page") or next(named, next(iter(pages.values()), ""))
    texts = [
        _read(Path(str(one.locate_file(file))))
        for file in one.files or ()
        if ".dist-info/" in str(file) and LICENCE_FILE.search(str(file))
    ]
    if about["Name"].lower() in {"pyside6-essentials", "shiboken6"}:
        texts.append(
            "Qt for Python and Qt are used under the GNU Lesser General Public License, version 3, whose text stands "
            "at the end. They are separate libraries in this folder and may be replaced by versions of your own. "
            "Sources: https://download.qt.io/official_releases/QtForPython/ and https://download.qt.io/archive/qt/"
        )
    first_line = (licence or "").strip().splitlines()[:1] or ["see below"]
    return "\n".join([RULE, f"{about['Name']} {one.version} · {first_line[0]} · {home}", "", *texts, ""])


def _classifier(classifiers: list[str]) -> str:
    return ", ".join(one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::"))


def _python() -> str:
    places = [Path(sysconfig.get_path("stdlib")) / "LICENSE.txt", Path(sys.base_prefix) / "LICENSE.txt"]
    text = next((_read(one) for one in places if one.exists()), "https://docs.python.org/3/license.html\n")
    return f"{RULE}\nPython {sys.version.split()[0]} · PSF-2.0 · https://www.python.org\n\n{text}"


def _pyinstaller() -> str:
    return (
        f"{RULE}\nThe boot loader of PyInstaller · GPL-2.0-or-later with an exception that allows to distribute it "
        "with programs of any licence · https://pyinstaller.org\n"
    )


def _of_system_libraries(folder: Path) -> Iterator[str]:
    """Yield the notices of the libraries that came from the system which the package was built on."""
    if shutil.which("dpkg-query") is None:
        return
    packages = set()
    for one in sorted(folder.joinpath("_internal").glob("lib*.so*")):
        asked = subprocess.run(
            ["dpkg-query", "--search", f"*/{one.name}"], capture_output=True, encoding="utf-8", check=False
        )
        packages |= {line.partition(":")[0] for line in asked.stdout.splitlines()}
    for package in sorted(packages):
        copyright_file = Path("/usr/share/doc") / package / "copyright"
        if copyright_file.exists():
            yield f"{RULE}\n{package} (a library of the system)\n\n{_read(copyright_file)}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").rstrip() + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
