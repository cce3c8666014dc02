"""JSON and SHA-256 without the modules of the standard library: the same answers."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tray_app.core.lean import load_json, sha256, text_digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON, st.sampled_from([None, 2]))
def test_what_json_writes_is_read_as_json_reads_it(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert load_json(text) == load_json(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    ["", " ", "{", '{"a":}', "{} {}", "[1,]", "\ufeff{}", "nul", '"\x01"', '"open', "{'a': 1}", b"\xff", "1\x0b"],
)
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    for read in (json.loads, load_json):
        with pytest.raises(ValueError):  # noqa: PT011 - each parser has its own words
            read(text)


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', "\r\n\t [1.5e3, -0, true] \n", "Infinity", '"\\ud55c\\uae00 \ud55c"']
)
def test_what_json_forgives(text: str) -> None:
    assert load_json(text) == json.loads(text)


@given(st.binary())
def test_the_digest_is_that_of_hashlib(content: bytes) -> None:
    assert sha256(content).hexdigest() == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("missing", ["_json", "_sha2", "_sha256"])
def test_without_a_part_of_cpython_the_module_itself_serves(missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from tray_app.core.lean import load_json, sha256\n"
        "print(load_json(b'[1]'), sha256(b'').hexdigest()[:4])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["[1]", "e3b0"]


@given(st.text(st.characters(codec="utf-8")))
def test_the_digest_of_a_text_is_that_of_its_utf_8(text: str) -> None:
    assert text_digest(text) == hashlib.sha256(text.encode()).hexdigest()


def test_a_text_that_is_no_utf_8_has_a_digest_too() -> None:
    assert text_digest("\udcb1\udce8") != text_digest("\udcb1\udce9")
