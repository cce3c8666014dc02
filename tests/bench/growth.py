"""How cost grows with accounts and with programs that wait: `python -m tests.bench.growth [--plots FOLDER]`."""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.crowd import ENDPOINT_SECONDS, waits_of
from tests.bench.programs import ROOT, command, environment_in

ACCOUNTS = (1, 10, 100, 1000)
CALLERS = (1, 10, 100, 1000)
_PROCESSES = 50
"""So many processes at the most; further callers are threads in them."""

_POLL = """
import json, sys, time
from tray_app.service.composition import open_service
from tray_app.settings.load import load_settings, named_profiles
from tray_app.supervisor.supervisor import Callbacks, Supervisor
began = time.perf_counter()
all = [Supervisor(load_settings(one), open_service, Callbacks()) for one in named_profiles()]
opened = time.perf_counter() - began
for one in all: one.poll()
began = time.perf_counter()
for one in all: one.poll()
print(json.dumps([opened, time.perf_counter() - began]))
"""

Series = dict[int, float]


def accounts(counts: Sequence[int] = ACCOUNTS) -> dict[str, Series]:
    """Return milliseconds by the number of accounts in the settings: a command for one of them, and a supervisor's look
    at all of them."""
    series: dict[str, Series] = {"get of one account": {}, "open all": {}, "look at all": {}}
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            environment = environment_in(folder, PYTHONPATH=str(ROOT))
            _write_accounts(folder, count)
            taken = []
            for _ in range(9):
                began = time.perf_counter()
                subprocess.run(
                    command("get", "--profile", "account-0"), env=environment, capture_output=True, check=True
                )
                taken.append(time.perf_counter() - began)
            series["get of one account"][count] = statistics.median(taken) * 1e3
            said = subprocess.run([sys.executable, "-c", _POLL], env=environment, capture_output=True, check=True)
            opened, looked = json.loads(said.stdout)
            series["open all"][count], series["look at all"][count] = opened * 1e3, looked * 1e3
    return series


def _write_accounts(folder: Path, count: int) -> None:
    (folder / "config").mkdir(mode=0o700)
    (folder / "data").mkdir(mode=0o700)
    sections = ['verify = "off"', *(f"[profiles.account-{number}]" for number in range(count))]
    (folder / "config" / "settings.toml").write_text("\n".join(sections) + "\n")
    now = time.time()
    end, start = (time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(one)) for one in (now + 80000, now - 10))
    for number in range(count):
        path = folder / "data" / f"account-{number}.token"
        path.write_text(json.dumps({"access_token": f"token-{number}", "expires_at": end, "created_at": start}))
        path.chmod(0o600)


def callers(counts: Sequence[int] = CALLERS) -> dict[str, Series]:
    """Return milliseconds beyond an endpoint of 0.2 s by the number of callers that want a token at once, and how many
    requests they made."""
    series: dict[str, Series] = {"slowest caller": {}, "median caller": {}, "requests": {}}
    for count in counts:
        waits, requests = waits_of(count, processes=min(count, _PROCESSES))
        series["slowest caller"][count] = (max(waits) - ENDPOINT_SECONDS) * 1e3
        series["median caller"][count] = (statistics.median(waits) - ENDPOINT_SECONDS) * 1e3
        series["requests"][count] = requests
    return series


def plot(title: str, across: str, series: Mapping[str, Series]) -> str:
    """Return an SVG picture with both axes logarithmic; the values are milliseconds."""
    width, height, left, bottom = 580, 320, 80, 48
    points = [(x, max(y, 0.01)) for one in series.values() for x, y in one.items()]
    x_high = math.log10(max(x for x, _ in points)) or 1.0
    y_low = math.floor(math.log10(min(y for _, y in points)))
    y_high = max(math.ceil(math.log10(max(y for _, y in points))), y_low + 1)

    def place(x: float, y: float) -> tuple[float, float]:
        right = left + (width - left - 150) * math.log10(x) / x_high
        up = (math.log10(max(y, 0.01)) - y_low) / (y_high - y_low)
        return round(right, 1), round(height - bottom - (height - bottom - 40) * up, 1)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/><text x="{left}" y="22" font-size="14">{title}</text>',
        f'<text x="{left}" y="{height - 12}">{across}</text>',
    ]
    for power in range(y_low, y_high + 1):
        _, y = place(1, 10.0**power)
        lines.append(f'<path d="M{left} {y}H{width - 150}" stroke="#ddd"/>')
        lines.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{10.0**power:,g} ms</text>')
    for count in sorted({x for x, _ in points}):
        x, _ = place(count, 10.0**y_low)
        lines.append(f'<text x="{x}" y="{height - bottom + 16}" text-anchor="middle">{count:,}</text>')
    colours = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700")
    free = float(height)  # below it there is a label already
    ends = (
        (place(*max(one.items())), colour, name) for colour, (name, one) in zip(colours, series.items(), strict=False)
    )
    for (x, y), colour, name in sorted(ends, key=lambda one: -one[0][1]):
        path = " ".join(f"{x},{y}" for x, y in (place(count, value) for count, value in sorted(series[name].items())))
        free = min(y + 4, free - 14)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines.append(f'<text x="{x + 6}" y="{free:.1f}" fill="{colour}">{name}</text>')
    return "\n".join([*lines, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw growth-*.svg there")
    options = parser.parse_args()
    by_accounts, by_callers = accounts(), callers()
    for name, one in {**by_accounts, **by_callers}.items():
        print(f"{name}: " + ", ".join(f"{count:,}: {value:.4g}" for count, value in one.items()))
    if options.plots:
        waits = {name: one for name, one in by_callers.items() if name != "requests"}
        for file, title, across, series in (
            ("growth-accounts", "Cost by the number of accounts", "accounts", by_accounts),
            ("growth-callers", "Wait beyond the endpoint, many callers at once", "callers", waits),
        ):
            options.plots.mkdir(parents=True, exist_ok=True)
            (options.plots / f"{file}.svg").write_text(plot(title, across, series), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
