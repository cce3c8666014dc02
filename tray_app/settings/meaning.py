"""Which setting a line of `settings.toml` that is none may have meant: a slip of the hand, or another name for one."""

from __future__ import annotations

from tray_app.core.profile import DEFAULT
from tray_app.settings.document import key_of
from tray_app.settings.table import MODES, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TELLING_WORDS = {
    "mode": {
        *MODES,
        "mock",
        "paper",
        "live",
        "virtual",
        "simulation",
        "simulated",
        "practice",
        "sandbox",
        "test",
        "prod",
    }
    | {"production", "env", "environment", "vps", "모의", "실전", "실거래", "가상", "모드"},
    "store": {
        "keyring",
        "redis",
        "memory",
        "keychain",
        "vault",
        "plain",
        "plaintext",
        "encrypt",
        "encrypted",
        "backend",
    }
    | {"저장", "키링", "암호화", "평문"},
}
"""What is said of nothing else, so that a line with it means that setting, whatever it calls it."""

_ADDRESS_WORDS = {"url", "uri", "host", "hostname", "endpoint", "server", "domain"}

_ALIKE = 0.7
"""`mod`, `moed`, `data-dir` and `stores` are typing errors; a name that is less similar means something else."""


def settings_within(value: object) -> Iterator[str]:
    """Yield the settings that the names in a section, or in a list of sections, may mean."""
    left = [value]
    while left:  # a dotted key may be deeper than calls of a function can be
        one = left.pop()
        if isinstance(one, dict):
            for name, inner in one.items():
                yield from meant_by(name, inner)
            left += one.values()
        elif isinstance(one, list):
            left += one


def settings_named_in(value: object) -> Iterator[str]:
    """Yield the settings whose lines a text of several lines took in, because its quotes were closed too late."""
    if isinstance(value, str):
        for line in value.split("\n"):
            if "=" in line and (name := key_of(line.strip())[1]):
                yield name
    elif isinstance(value, list):
        for one in value:
            yield from settings_named_in(one)


def meant_by(name: str, value: object) -> list[str]:
    """Return the settings that a name may mean: the one it is, a slip of the hand, an environment variable's name, or
    another name for what it takes, as in `demo = true`, `useMock = true` and `trading = "demo"`."""
    from difflib import get_close_matches

    words = _words_of(name)
    spelled = "_".join(words)
    word = value.strip().lower() if isinstance(value, str) else ""
    meant = get_close_matches(spelled, TABLE, 1, _ALIKE)
    meant += [one for one in TABLE if f"_{one}_" in f"_{spelled}_"]
    for one, telling in _TELLING_WORDS.items():
        if {*words, word} & telling or any(korean in name + word for korean in telling if not korean.isascii()):
            meant.append(one)
    return list(dict.fromkeys(meant))


def contradicts(name: str, value: object, there: object) -> bool:
    """Return True if `value` can be read as that setting, and is not what it is set to."""
    try:
        return bool(TABLE[name].kind.read(value) != there)
    except ValueError:
        return False


def is_address(name: str) -> bool:
    """Return True if the name can mean an address, such as Kiwoom's."""
    return bool(_ADDRESS_WORDS & set(_words_of(name)))


def _words_of(name: str) -> list[str]:
    """Return the words of a name such as `is_mock`, `is-mock`, `isMock` or `IS_MOCK`, in lower case."""
    import re

    return re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def is_nearly_default(name: str) -> bool:
    """Return True if the name is a slip of the hand for that of the default profile."""
    if len(set(name) & set(DEFAULT)) < 5:  # most names, for which the import would cost more than reading the file
        return False
    from difflib import get_close_matches

    return bool(get_close_matches(name, [DEFAULT], 1, _ALIKE))
