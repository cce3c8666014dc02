"""Text from standard input: from another program or a file in UTF-8, whatever this system's encoding, or asked for."""

from __future__ import annotations

import sys

from tray_app.core.decoding import decode_text


def read_stdin(limit: int) -> str:
    """Return at most `limit` bytes of standard input as text, without the byte order mark of Windows PowerShell.

    Bytes are read, because the code page of a Korean Windows would turn that mark into letters. What is no UTF-8
    becomes replacement characters, which no token and no key has.
    """
    if sys.stdin is None:
        return ""
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:  # replaced by a program that runs ours
        return sys.stdin.read(limit).removeprefix("\ufeff")
    return decode_text(buffer.read(limit), "replace")


def ask_hidden(prompt: str) -> str:
    """Return what is typed at the terminal, without showing it; an empty text for end of input (Ctrl+D)."""
    from getpass import getpass

    try:
        return getpass(prompt)
    except EOFError:
        print(file=sys.stderr)  # what is told next begins a line of its own
        return ""
