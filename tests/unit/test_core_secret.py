from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import KEYS, START
from tray_app.core.secret import HiddenMapping, Secret
from tray_app.core.token import Token, token_for
from tray_app.service.outcome import Outcome

TEXT = "never-to-be-seen-token-of-a-test"
SECRET = Secret(TEXT)
TOKEN = token_for(TEXT, 86400, START)


@dataclass
class Holder:
    name: str
    secret: Secret
    token: Token


SHOWN = {
    "repr": repr,
    "str": str,
    "format": format,
    "format with a width": lambda value: f"{value!s:>80}",
    "f-string": lambda value: f"{value} {value!r} {value!a}",
    "%s": lambda value: "%s %r %a" % (value, value, value),  # noqa: UP031
    "in a list": lambda value: str([value]),
    "as a dict key": lambda value: str({value: 1}),
    "pprint": pprint.pformat,
    "dataclass": lambda value: repr(Holder("x", SECRET, value if isinstance(value, Token) else TOKEN)),
    "dir": lambda value: str(dir(value)),
}


@pytest.mark.parametrize("way", SHOWN)
@pytest.mark.parametrize("value", [SECRET, TOKEN], ids=["secret", "token"])
def test_nothing_shows_the_text(way: Any, value: Any) -> None:
    assert TEXT not in SHOWN[way](value)  # type: ignore[operator]


def test_a_format_spec_does_not_reach_the_text() -> None:
    assert f"{SECRET:.100}" == "***"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [SECRET, TOKEN, KEYS, [SECRET]], ids=["secret", "token", "keys", "list"])
def test_secrets_are_not_pickled(value: Any, protocol: Any) -> None:
    with pytest.raises(TypeError) as raised:
        pickle.dumps(value, protocol)

    assert TEXT not in str(raised.value)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("value", [SECRET, HiddenMapping({"APP_SECRET": TEXT})])
def test_what_is_hidden_is_not_copied(value: Any, copied: Any) -> None:
    with pytest.raises(TypeError):
        copied(value)


def test_a_hidden_environment_is_read_as_one_and_is_no_mapping_that_a_reporter_walks_through() -> None:
    hidden = HiddenMapping({"APP_SECRET": TEXT})

    assert (hidden["APP_SECRET"], hidden.get("APP_SECRET"), hidden.get("OTHER", ""), len(hidden)) == (TEXT, TEXT, "", 1)
    assert ("APP_SECRET" in hidden, "OTHER" in hidden, list(hidden)) == (True, False, ["APP_SECRET"])
    with pytest.raises(KeyError):
        hidden["OTHER"]
    assert not isinstance(hidden, (Mapping, Sequence, Set))
    assert TEXT not in pprint.pformat(hidden)


def test_a_secret_is_not_json() -> None:
    with pytest.raises(TypeError) as raised:
        json.dumps({"token": SECRET})

    assert TEXT not in str(raised.value)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: "".join([SECRET]),  # type: ignore[list-item]
        lambda: SECRET + "x",  # type: ignore[operator]
        lambda: len(SECRET),  # type: ignore[arg-type]
        lambda: int(SECRET),  # type: ignore[call-overload]
        lambda: SECRET[0],  # type: ignore[index]
        lambda: bytes(SECRET),  # type: ignore[call-overload]
        lambda: iter(SECRET),  # type: ignore[call-overload]
        lambda: Secret("x") > SECRET,  # type: ignore[operator]
        lambda: Path(SECRET),  # type: ignore[arg-type]
        lambda: SECRET.text,  # type: ignore[attr-defined]
    ],
)
def test_a_mistake_with_a_secret_names_no_text(mistake: Any) -> None:
    with pytest.raises((TypeError, AttributeError)) as raised:
        mistake()

    assert TEXT not in "".join(traceback.format_exception(raised.value))


def test_a_traceback_with_local_variables_shows_a_secret_masked() -> None:
    def fails(secret: Any, token: Any, outcome: Any) -> None:
        raise RuntimeError("x")

    try:
        fails(SECRET, TOKEN, Outcome(TOKEN, Outcome.ISSUED))
    except RuntimeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())

    assert "Secret(***)" in shown
    assert TEXT not in shown


def test_a_log_record_shows_a_secret_masked(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("somebody else").error("%s %r %s", SECRET, SECRET, TOKEN)

    assert "***" in caplog.text
    assert TEXT not in caplog.text


def test_reveal_is_the_one_way_to_the_text() -> None:
    assert SECRET.reveal() == TEXT


@pytest.mark.parametrize(
    ("text", "preview"), [("a" * 86, "aaaaaa..."), ("abcdefgh", "ab..."), ("abc", "..."), ("", "...")]
)
def test_a_preview_shows_six_characters_and_never_more_than_a_quarter(text: Any, preview: Any) -> None:
    assert Secret(text).preview() == preview


def test_equal_texts_are_equal_secrets() -> None:
    assert Secret("a") == Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_a_secret_never_equals_its_text() -> None:
    assert Secret("a") != "a"


def test_fingerprints_tell_secrets_apart_and_do_not_hold_them() -> None:
    prints = {Secret(text).fingerprint() for text in ("a", "b", TEXT)}

    assert len(prints) == 3
    assert all(len(one) == 16 and TEXT not in one for one in prints)


def test_a_token_record_does_not_change() -> None:
    with pytest.raises(AttributeError):
        TOKEN.value = Secret("another")
