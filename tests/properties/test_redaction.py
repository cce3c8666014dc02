"""A token in any text, by any way into the log: nothing of it is left that anybody could use."""

from __future__ import annotations

import logging

from hypothesis import example, given
from hypothesis import strategies as st

from tray_app.core.errors import InvalidInput
from tray_app.core.pasted import mistake_in, unquoted
from tray_app.core.redaction import RedactingFilter, RedactingFormatter, redact
from tray_app.kiwoom.keys import clean_keys

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LONG = st.text(LETTERS, min_size=43, max_size=86)
AROUND = st.text(max_size=20) | st.sampled_from(
    [
        "token=",
        "token: ",
        'access_token": "',
        "Bearer ",
        "bearer\t",
        "://user:",
        "@host",
        "eyJ",
        ".",
        "=",
        "&",
        "%s",
        "\n",
    ]
)


def is_masked(text: str, secret: str) -> bool:
    """Whether no twelve letters in a row are left of it that it could be told by."""
    return not any(secret[at : at + 40] in text for at in range(len(secret) - 39))


@given(st.lists(AROUND, max_size=4), LONG, st.lists(AROUND, max_size=4))
@example(["token=a"], "Bearer" + "x" * 40, ["token=b"])
@example([], "x" * 39 + "-token", ["=1"])
@example(["://a:b"], "y" * 43, ["@h"])
def test_a_secret_by_its_form(before: list[str], secret: str, after: list[str]) -> None:
    assert is_masked(redact("".join(before) + secret + "".join(after)), secret)


@given(
    st.sampled_from(["token", "access_token", "APP_KEY", "appSecret", "secretkey", "KIWOOM_TOKEN", "app_secret_mock"]),
    st.sampled_from(["=", ": ", '": "', " = '", "':"]),
    st.text(LETTERS + ".+/!", min_size=12, max_size=40),
)
def test_a_secret_by_its_name(name: str, between: str, secret: str) -> None:
    assert secret not in redact(f"it is {name}{between}{secret}")


@given(st.lists(AROUND, max_size=3), LONG)
def test_a_record_of_the_log(before: list[str], secret: str) -> None:
    text = "".join(before).replace("%", "%%")
    records = [
        logging.LogRecord("kiwoom", logging.INFO, __file__, 1, f"{text}%s", (secret,), None),
        logging.LogRecord("kiwoom", logging.INFO, __file__, 1, text + secret, None, None),
    ]
    records[0].token = secret
    records[0].what = {"nested": [secret]}
    for record in records:
        RedactingFilter().filter(record)
        assert is_masked(RedactingFormatter().format(record), secret)
        assert not any(secret in repr(value) for value in record.__dict__.values())


@given(st.text(max_size=60), st.text(max_size=60))
@example("APP_KEY=abcdefghijklmnop", "C:\\keys\\secret.txt")
def test_pasted_keys_are_taken_or_refused_without_being_repeated(key: str, secret: str) -> None:
    try:
        keys = clean_keys(key, secret)
    except InvalidInput as error:
        for one in (unquoted(key), unquoted(secret)):
            assert len(one) < 12 or one not in str(error)
    else:
        assert not any(len(one) > 3 and one in repr(keys) for one in (key, secret))
        assert not mistake_in(keys.app_key.reveal())
