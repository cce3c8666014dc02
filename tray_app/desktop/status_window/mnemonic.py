"""Keyboard mnemonics of buttons whose text changes."""

from __future__ import annotations


def with_mnemonic(text: str, letter: str) -> str:
    """Return `text` with `letter` as its mnemonic: marked within the text, or in brackets behind a Korean one."""
    at = text.lower().find(letter.lower())
    if at < 0 and text[:1].isascii():
        at = 0
    if at >= 0 and text:
        return f"{text[:at]}&{text[at:]}"
    if text.endswith("…"):
        return f"{text[:-1]}(&{letter})…"
    return f"{text}(&{letter})" if text else ""
