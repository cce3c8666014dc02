"""Take the app key and secret from files: the two that Kiwoom's portal downloads, or a `.env`.

The portal saves `12345678_appkey.txt` and `12345678_secretkey.txt`, one line each, named after the account.
"""

from __future__ import annotations

import codecs
import os
import re

from tray_app.core.errors import InvalidInput
from tray_app.core.language import msg
from tray_app.core.pasted import unquoted
from tray_app.core.profile import MODE_NAMES
from tray_app.core.secret import Secret
from tray_app.kiwoom.keys import clean_keys
from tray_app.system.private_files import read_regular, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tray_app.kiwoom.keys import AppKeys

_MAX_BYTES = 65_536
_PORTAL_NAME = re.compile(r"(?P<account>.*?)_?(?P<part>appkey|secretkey)(?P<copy> ?\(\d+\))?\.txt", re.IGNORECASE)
_ACCOUNT = re.compile(r"\d{8,}")
_LINE = re.compile(r"\s*(?:export\s+|set\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
_SHOWN_DIGITS = 4
_NAMES = (
    ("APP_KEY", "APP_SECRET"),
    ("KIWOOM_APP_KEY", "KIWOOM_APP_SECRET"),
    ("KIWOOM_APPKEY", "KIWOOM_SECRETKEY"),
)
_NAMES_OF_REAL = frozenset(_NAMES[0])
"""`kiwoomcli`'s own, for real trading alone."""

_MOCK = "_MOCK"
_UNREADABLE = msg("{path} cannot be read ({reason}).")
_NOT_FOUND = msg("The file with the keys was not found. Check its name.")
"""Without the name: where no file has it, it may be a key that was pasted in its place."""

_NO_KEYS = msg("There is no app key and secret in {path}.")
_NO_TEXT = msg("{path} is not a text file with keys.")
_NO_SIBLING = msg("{path} is only one half. Save the other file of the portal ({name}) beside it.")
_HALF = msg("{variable} is missing in {path}, though its partner is there.")
_TWO_ACCOUNTS = msg("The files are for several accounts. Give those of one.")
_TWO_PAIRS = msg("{path} has several app keys for {mode}. Leave one of them.")
_TWO_MODES = msg("{path} has keys for real and for mock trading. Say which: --mode real or --mode demo")
_OTHER_MODE = msg("{path} has keys for {mode} only.")


class KeyFile:
    """The keys that were found in files. The repr shows none of them.

    `mode` is `real` or `demo`, or None where the files do not say. `account` is the account's number with all but its
    last digits masked, or empty; `paths` are the files.
    """

    __slots__ = ("account", "keys", "mode", "paths")

    def __init__(self, keys: AppKeys, mode: str | None, account: str, paths: tuple[str, ...]) -> None:
        self.keys = keys
        self.mode = mode
        self.account = account
        self.paths = paths

    def __repr__(self) -> str:
        return f"KeyFile({self.mode}, {self.account})"


class PortalFiles:
    """A pair of files as Kiwoom's portal saves them: their paths, and the masked number of the account."""

    __slots__ = ("account", "paths")

    def __init__(self, paths: tuple[str, str], account: str) -> None:
        self.paths = paths
        self.account = account


def read_key_files(paths: Sequence[str], mode: str | None = None) -> KeyFile:
    """Return the keys in `paths`: one of the portal's two files, both of them, or a `.env`.

    `mode` chooses where a `.env` has keys for both modes, or under names that bots use in either. Raises `InvalidInput`
    for a file that cannot be read or has no keys, and wherever there is more than one answer.
    """
    portal = [path for path in paths if _is_portal_name(path)]
    if not portal:
        return _read_environment_files(paths, mode)
    if len(portal) < len(paths):
        raise InvalidInput(_TWO_ACCOUNTS)
    pair = _given_pair(portal)
    if pair is None:
        pairs = {_pair_of(path) for path in portal}
        if len(pairs) > 1:
            raise InvalidInput(_TWO_ACCOUNTS)
        pair = pairs.pop()
    key, secret = (_single_line(path) for path in pair)
    return KeyFile(clean_keys(key, secret), mode, _account_of(pair[0]), pair)


def find_portal_files(folder: str) -> list[PortalFiles]:
    """Return the pairs of the portal in `folder`, the newest first. Only names are looked at, no content."""
    try:
        with os.scandir(folder) as entries:
            found = [(entry.stat().st_mtime, entry.path) for entry in entries if _is_portal_name(entry.name)]
    except OSError:
        return []
    pairs: dict[tuple[str, str], PortalFiles] = {}
    for _, path in sorted(found, reverse=True):
        names = _names_of_pair(path)
        if _account_of(path) and all(os.path.isfile(one) for one in names):
            pairs.setdefault(names, PortalFiles(names, _account_of(path)))
    return [*pairs.values()]


def masked_path(path: str) -> str:
    """Return the name of a file with the account's number masked, as it may be shown and logged."""
    return _ACCOUNT.sub(lambda found: _masked(found[0]), os.path.basename(path))


def _read_environment_files(paths: Sequence[str], mode: str | None) -> KeyFile:
    name = ", ".join(masked_path(path) for path in paths)
    lines = [line for path in paths for line in _assignments(_text_of(path))]
    pairs = {one: _pair_in(lines, one, name) for one in ("real", "demo")}
    found = {one: pair for one, pair in pairs.items() if pair is not None}
    if not found:
        raise InvalidInput(_NO_KEYS, path=name)
    if mode is None and len(found) > 1:
        raise InvalidInput(_TWO_MODES, path=name)
    chosen = mode or next(iter(found))
    if chosen == "demo" and chosen not in found and not any(one in _NAMES_OF_REAL for one, _ in lines):
        found["demo"] = found["real"]
    if chosen not in found:
        raise InvalidInput(_OTHER_MODE, path=name, mode=MODE_NAMES[next(iter(found))])
    key, secret = found[chosen]
    return KeyFile(clean_keys(key, secret), chosen, "", tuple(paths))


def _pair_in(lines: list[tuple[str, Secret]], mode: str, path: str) -> tuple[Secret, Secret] | None:
    """Return the only pair for that mode, or None. Raises `InvalidInput` for half a pair and for several."""
    ending = _MOCK if mode == "demo" else ""
    pairs = set()
    for names in _NAMES:
        name, partner = (f"{one}{ending}" for one in names)
        keys, secrets = (_values(lines, one) for one in (name, partner))
        if len(keys) > 1 or len(secrets) > 1:
            raise InvalidInput(_TWO_PAIRS, path=path, mode=MODE_NAMES[mode])
        if keys and secrets:
            pairs.add((keys.pop(), secrets.pop()))
        elif keys or secrets:
            raise InvalidInput(_HALF, path=path, variable=partner if keys else name)
    if len(pairs) > 1:
        raise InvalidInput(_TWO_PAIRS, path=path, mode=MODE_NAMES[mode])
    return pairs.pop() if pairs else None


def _values(lines: Iterable[tuple[str, Secret]], wanted: str) -> set[Secret]:
    return {value for name, value in lines if name == wanted and value != Secret("")}


def _assignments(text: Secret) -> Iterator[tuple[str, Secret]]:
    for line in text.reveal().splitlines():
        found = _LINE.fullmatch(line)
        if found is not None:
            yield found[1], Secret(unquoted(_without_comment(found[2])))


def _without_comment(value: str) -> str:
    quote = value.strip()[:1]
    if quote in {'"', "'"} and value.count(quote) > 1:
        return value[: value.index(quote, value.index(quote) + 1) + 1]
    return re.split(r"\s#", value, maxsplit=1)[0]


def _single_line(path: str) -> Secret:
    lines = [line for line in _text_of(path).reveal().splitlines() if line.strip()]
    count, only = len(lines), Secret(lines[0] if lines else "")
    del lines
    if count != 1:
        raise InvalidInput(_NO_KEYS, path=masked_path(path))
    return only


def _text_of(path: str) -> Secret:
    """Return the text of a file, in whatever encoding an editor on Windows saves it."""
    try:
        content, _ = read_regular(path, _MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last for a name that no file can have
        raise InvalidInput(_NOT_FOUND) from None
    except OSError as error:
        raise InvalidInput(_UNREADABLE, path=masked_path(path), reason=reason_of(error)) from None
    text = _decoded(content)
    del content
    if text is None:
        raise InvalidInput(_NO_TEXT, path=masked_path(path))
    return text


def _decoded(content: bytes) -> Secret | None:
    encodings = ["utf-8-sig", "cp949"]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in content[:2]:
        encodings = ["utf-16-be" if content[:1] == b"\0" else "utf-16-le"]
    if len(content) > _MAX_BYTES:
        return None
    for encoding in encodings:
        try:
            text = Secret(content.decode(encoding))
        except UnicodeDecodeError:
            continue
        return None if "\0" in text.reveal() else text
    return None


def _is_portal_name(path: str) -> bool:
    return _PORTAL_NAME.fullmatch(os.path.basename(path)) is not None


def _given_pair(paths: Sequence[str]) -> tuple[str, str] | None:
    """Return the paths of app key and secret if these two are the halves of one account, wherever they are and
    whatever number a browser gave them."""
    found = [_PORTAL_NAME.fullmatch(os.path.basename(path)) for path in paths]
    halves = {one["part"].lower(): (one["account"], path) for one, path in zip(found, paths, strict=True) if one}
    if len(paths) != 2 or len(halves) != 2 or len({account for account, _ in halves.values()}) != 1:
        return None
    return halves["appkey"][1], halves["secretkey"][1]


def _pair_of(path: str) -> tuple[str, str]:
    """Return the paths of app key and secret. Raises `InvalidInput` for a file that is not there, and when the other
    half is not beside it."""
    if not os.path.lexists(path):
        raise InvalidInput(_NOT_FOUND)
    pair = _names_of_pair(path)
    missing = next((one for one in pair if not os.path.isfile(one)), None)
    if missing is not None:
        raise InvalidInput(_NO_SIBLING, path=masked_path(path), name=masked_path(missing))
    return pair


def _names_of_pair(path: str) -> tuple[str, str]:
    folder, name = os.path.split(path)
    found = _PORTAL_NAME.fullmatch(name)
    if found is None:
        raise AssertionError("not a file of the portal")
    start, end = found.span("part")
    own = found["part"]
    names = ["appkey", "secretkey"]
    if own.isupper():
        names = [one.upper() for one in names]
    key, secret = (os.path.join(folder, name[:start] + one + name[end:]) for one in names)
    if own.lower() == "appkey":
        return path, _as_in_folder(secret)
    return _as_in_folder(key), path


def _as_in_folder(path: str) -> str:
    """Return the file of that name; a browser numbers a second download, which its other half may not have."""
    if os.path.isfile(path):
        return path
    folder, name = os.path.split(path)
    plain = re.sub(r" ?\(\d+\)(?=\.txt$)", "", name, flags=re.IGNORECASE)
    return os.path.join(folder, plain)


def _account_of(path: str) -> str:
    found = _ACCOUNT.search(os.path.basename(path))
    return _masked(found[0]) if found else ""


def _masked(number: str) -> str:
    return "*" * (len(number) - _SHOWN_DIGITS) + number[-_SHOWN_DIGITS:]
