"""The logger `kiwoom`: free of charge in a program that logs nothing, and redacted in every other one."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tray_app.core import logs

TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9-a-token-of-a-test-0123456789"


@pytest.fixture(autouse=True)
def _no_log_file() -> Iterator[None]:
    logs.forget_first()
    yield
    logs.forget_first()


def test_a_program_that_never_imported_logging_does_not_import_it_for_a_line() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tray_app.core import logs\n"
        "logs.warning('A line that nobody can read')\n"
        "print('logging' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-S", "-c", program, str(ROOT)], capture_output=True, text=True, check=True)

    assert (done.stdout.strip(), done.stderr) == ("False", "")


@pytest.mark.parametrize("name", ["kiwoom", "kiwoom.of-a-test"])
def test_what_looks_like_a_token_is_masked_also_by_a_child_logger(name: str, caplog: pytest.LogCaptureFixture) -> None:
    child = logging.getLogger(name)
    logs.kiwoom_logger()

    with caplog.at_level(logging.INFO, "kiwoom"):
        child.info("The answer was %s", TOKEN)

    assert caplog.messages
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("name", ["kiwoom", "kiwoom.newer-than-our-last-line"])
@pytest.mark.parametrize("use", ["get_token()", "set_token('another', 86400)", "ensure_token()"])
def test_what_a_host_program_logs_is_masked_though_we_have_logged_nothing(name: str, use: str) -> None:
    program = (
        "import contextlib, logging, sys; sys.path.insert(0, sys.argv[1])\n"
        "logging.basicConfig(level=logging.CRITICAL, format='%(message)s %(token)s')\n"
        "from tray_app import TokenManager\n"
        f"with contextlib.suppress(Exception): TokenManager(store='memory').{use}\n"
        "logging.getLogger(sys.argv[2]).critical('The answer was %s', sys.argv[3], extra={'token': sys.argv[3]})\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), name, TOKEN], capture_output=True, text=True, check=True
    )

    assert done.stderr == "The answer was *** ***\n"


def test_a_line_that_a_host_program_logs_wrongly_raises_nothing_in_it() -> None:
    program = (
        "import logging, sys; sys.path.insert(0, sys.argv[1])\n"
        "logging.basicConfig(format='%(message)s')\n"
        "class Order:\n"
        "    def __repr__(self): raise RuntimeError\n"
        "from tray_app.core import logs; logs.protect()\n"
        "child = logging.getLogger('kiwoom.of-the-host')\n"
        "child.warning('%(code)s', {'kode': 1})\n"
        "child.warning('%s', Order())\n"
        "child.warning('with an order', extra={'order': Order()})\n"
        "print('went on')"
    )

    done = subprocess.run([sys.executable, "-c", program, str(ROOT)], capture_output=True, text=True, check=False)

    assert done.stdout == "went on\n"
    assert done.stderr.count("--- Logging error ---") == 2  # as without this package
    assert "with an order" in done.stderr


def test_a_handler_that_the_host_program_has_put_on_our_logger_first_gets_masked_lines() -> None:
    program = (
        "import logging, sys; sys.path.insert(0, sys.argv[1])\n"
        "logging.getLogger('kiwoom').addHandler(logging.StreamHandler())\n"
        "from tray_app.core import logs; logs.protect()\n"
        "logging.getLogger('kiwoom.newer').critical('The answer was %s', sys.argv[2])\n"
    )

    done = subprocess.run([sys.executable, "-c", program, str(ROOT), TOKEN], capture_output=True, text=True, check=True)

    assert done.stderr == "The answer was ***\n"


def test_the_line_names_the_place_that_logged_it(caplog: pytest.LogCaptureFixture) -> None:
    logs.warning("A line")

    assert caplog.records[0].filename == Path(__file__).name


def test_the_log_is_opened_before_the_first_line_that_is_severe_enough(caplog: pytest.LogCaptureFixture) -> None:
    opened: list[int] = []
    logs.on_first(logs.WARNING, lambda: opened.append(len(caplog.records)))

    with caplog.at_level(logging.DEBUG, "kiwoom"):
        logs.info("not yet")
        logs.warning("now")
        logs.error("only once")

    assert opened == [1], "the warning itself is in the log"


def test_a_log_that_is_not_wanted_any_more_is_not_opened() -> None:
    opened: list[bool] = []
    logs.on_first(logs.WARNING, lambda: opened.append(True))
    logs.forget_first()

    logs.error("a line")

    assert opened == []
