"""Measure this program beside what a user would pick instead: `python -m tests.bench [PART …]`.

Parts: `library`, `programs`, `crowd`, `keyring`, `tray`; the last two need the desktop tests' programs. Without any,
all of them. Peers that are not installed are named so; `pip install -e '.[bench]'` brings those that pip can.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from compileall import compile_dir
from pathlib import Path
from typing import TYPE_CHECKING

from tests import ROOT

if TYPE_CHECKING:
    from tests.bench.timing import Figure

PARTS = ("library", "programs", "crowd", "keyring", "tray")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    compile_dir(ROOT / "tray_app", quiet=1)  # as an installation does
    with tempfile.TemporaryDirectory() as folder:
        _keep_apart(Path(folder))
        figures = [one for part in options.parts or PARTS for one in _part(part)()]
    from tests.bench.timing import table

    when = time.strftime("%Y-%m-%d")
    machine = f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores"
    python = f"Python {platform.python_version()}"
    print(f"{when} · {machine} · {python} · `python -m tests.bench {' '.join(options.parts)}`".replace(" `", " `"))
    print()
    print(table(figures))
    if options.json:
        record = {"date": when, "machine": machine, "python": python, "figures": [one.fields() for one in figures]}
        options.json.write_text(json.dumps(record, ensure_ascii=False, indent=1))
    return 0


def _keep_apart(folder: Path) -> None:
    """Let nothing of the user's be touched, neither by us nor by a peer."""
    from tests.bench.programs import environment_in

    os.environ.update(environment_in(folder))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        os.environ.pop(name, None)


def _part(name: str) -> Callable[[], Iterable[Figure]]:
    from importlib import import_module

    figures: Callable[[], Iterable[Figure]] = import_module(f"tests.bench.{name}").figures
    return figures


if __name__ == "__main__":
    sys.exit(main())
