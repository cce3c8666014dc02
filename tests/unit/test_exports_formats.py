"""The formats in which `get` prints a token and `exec` gives it to a command: scripts rely on each to the letter."""

from __future__ import annotations

import json

import pytest

from tray_app.core.token import token_until
from tray_app.exports.formats import ENVIRONMENTS, FORMATS

TOKEN = token_until("a-token-of-a-test", "20261125070000", 1_795_500_000.0)
"""It expires at 07:00 in Korea."""

VARIABLES = {
    "KIWOOM_TOKEN": "a-token-of-a-test",
    "KIWOOM_ACCESS_TOKEN": "a-token-of-a-test",
    "KIWOOM_ACCESS_TOKEN_EXPIRES_AT": "2026-11-24T22:00:00+00:00",
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("raw", "a-token-of-a-test"),
        ("header", "authorization: Bearer a-token-of-a-test"),
        ("env", "\n".join(f"{key}={value}" for key, value in VARIABLES.items())),
        ("kwcli", "\n".join(f"{key}={value}" for key, value in {**VARIABLES, "KIWOOM_TOKEN_STORE": "memory"}.items())),
    ],
)
def test_text_is_what_a_script_pastes(name: str, text: str) -> None:
    assert FORMATS[name](TOKEN) == text


def test_json_has_the_expiry_in_korean_time_and_with_a_zone() -> None:
    assert json.loads(FORMATS["json"](TOKEN)) == {
        "token": "a-token-of-a-test",
        "token_type": "bearer",
        "expires_dt": "20261125070000",
        "expires_at": "2026-11-24T22:00:00+00:00",
    }


def test_kiwoomcli_is_told_to_use_the_variables_instead_of_its_cache() -> None:
    assert ENVIRONMENTS["env"](TOKEN) == VARIABLES
    assert ENVIRONMENTS["kwcli"](TOKEN) == {**VARIABLES, "KIWOOM_TOKEN_STORE": "memory"}
