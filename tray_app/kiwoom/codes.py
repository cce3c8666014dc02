"""Turn Kiwoom's failure codes into errors that a caller can act on.

Source: the error codes of the Kiwoom REST API guide (openapi.kiwoom.com). A failure usually comes as HTTP 200 with a
generic `return_code` (2 input, 3 authentication, 5 rate limit); the code that matters is inside `return_msg`, as
`[8030:...]` or `CODE=8005`. Only that code is taken from the broker's text, because the text could repeat a key.
"""

from __future__ import annotations

import re

from tray_app.core.errors import (
    DEAD_TOKEN_CODE,
    BrokerError,
    BrokerUnavailable,
    KeysRefused,
    KiwoomTokenError,
    RateLimited,
    Remedy,
    RequestRefused,
    RevokeFailed,
    TokenRefused,
    UnknownFailure,
)
from tray_app.core.language import msg

NOT_KIWOOM = msg("Kiwoom answers, but not as its API should; it may be down for maintenance. Try again later.")
COMPRESSED = msg(
    "Kiwoom's answer came compressed in a way that cannot be read here. Ask whoever runs the proxy or gateway to pass "
    "answers on as they are."
)
NO_USABLE_TOKEN = msg("Kiwoom's answer has no usable token. Try again later.")
REVOKE_UNCONFIRMED = msg("Kiwoom did not confirm the revoke, so the token may still be valid. Try again later.")
UNKNOWN_REFUSAL = msg(
    "Kiwoom refuses for a reason this program does not know. Try again later; "
    "if it stays, look the code up at openapi.kiwoom.com."
)

_TOO_MANY = msg("Kiwoom's request limit is reached. Wait a moment, then try again.")
_NOT_ISSUED = msg("Kiwoom could not issue or find the token. Try again later.")
_WRONG_KEYS = msg("Kiwoom refuses the app key and secret. Copy both again from openapi.kiwoom.com and enter them.")
_OUR_DEFECT = msg("Kiwoom rejects the request as malformed. This is a bug in this program; please report it.")
_NOT_REVOKED = msg("Kiwoom refused to revoke the token. It may be invalid already; check it with Kiwoom.")

_UNAUTHORIZED = 401

_Row = tuple[type[BrokerError], str, str | None]

_CODES: dict[str, _Row] = {
    "1700": (RateLimited, _TOO_MANY, None),
    "1701": (RateLimited, _TOO_MANY, None),
    "1702": (RateLimited, _TOO_MANY, None),
    "1999": (BrokerUnavailable, NOT_KIWOOM, None),
    "8001": (KeysRefused, _WRONG_KEYS, None),
    "8002": (KeysRefused, _WRONG_KEYS, None),
    "8003": (BrokerUnavailable, _NOT_ISSUED, None),
    "8005": (TokenRefused, msg("Kiwoom says that this token is not valid. Issue a new one, then try again."), None),
    "8006": (BrokerUnavailable, _NOT_ISSUED, None),
    "8009": (BrokerUnavailable, _NOT_ISSUED, None),
    "8010": (
        TokenRefused,
        msg("This token was issued from another public IP. Use it there, or revoke it and issue a new one here."),
        Remedy.ROTATE,
    ),
    "8011": (BrokerError, _OUR_DEFECT, None),
    "8012": (BrokerError, _OUR_DEFECT, None),
    "8015": (RevokeFailed, _NOT_REVOKED, None),
    "8016": (RevokeFailed, _NOT_REVOKED, None),
    "8020": (KeysRefused, msg("Kiwoom received no app key or no app secret. Enter both again."), None),
    "8030": (
        KeysRefused,
        msg("This app key belongs to the other mode (real or mock). Switch the mode, or enter this mode's keys."),
        Remedy.SWITCH_MODE,
    ),
    "8031": (
        TokenRefused,
        msg("This token belongs to the other mode (real or mock). Switch the mode, or issue a token of this mode."),
        Remedy.SWITCH_MODE,
    ),
    "8040": (
        KeysRefused,
        msg(
            "Kiwoom could not authenticate this computer. "
            "Check its IP registration at openapi.kiwoom.com > API 사용신청, then try again."
        ),
        Remedy.OPEN_PORTAL,
    ),
    "8050": (
        KeysRefused,
        msg(
            "This computer's public IP is not registered at Kiwoom. "
            "Register the IP at openapi.kiwoom.com > API 사용신청, then try again."
        ),
        Remedy.OPEN_PORTAL,
    ),
    "8103": (
        RequestRefused,
        msg("Kiwoom refuses this computer. Check the registration at openapi.kiwoom.com > API 사용신청."),
        Remedy.OPEN_PORTAL,
    ),
    "8200": (
        RequestRefused,
        msg("Kiwoom does not offer this API to corporate customers. Ask Kiwoom which service fits the account."),
        None,
    ),
}

_OUTER_CODES: dict[str, _Row] = {
    "2": (
        BrokerError,
        msg("Kiwoom refuses the content of the request and does not say why. Please report it if it happens again."),
        None,
    ),
    "3": (
        KeysRefused,
        msg("Kiwoom refuses the authentication and does not say why. Check the keys, the mode and the registered IP."),
        None,
    ),
    "5": (RateLimited, _TOO_MANY, None),
}

_CODE_IN_MESSAGE = re.compile(r"(?:\[\s*|CODE\s*=\s*)([0-9]{4})(?![0-9])", re.IGNORECASE)


def return_number(return_code: object) -> int | None:
    """Return `return_code` as a number, whether it is an int or a numeric string, or None when it is neither."""
    if isinstance(return_code, bool):
        return None
    if isinstance(return_code, int):
        return return_code if abs(return_code) < 1_000_000 else None
    if isinstance(return_code, str) and re.fullmatch(r"-?[0-9]{1,6}", return_code.strip()):
        return int(return_code)
    return None


def inner_code(return_msg: object) -> str | None:
    """Return the four-digit code inside `return_msg`, or None. A code that is in the table takes precedence over an
    unknown one."""
    if not isinstance(return_msg, str):
        return None
    found: list[str] = _CODE_IN_MESSAGE.findall(return_msg)
    return next((code for code in found if code in _CODES), found[0] if found else None)


def refuses_token(return_code: object, return_msg: object, *, http_status: int = 200) -> bool:
    """Return True if a failed answer says that the request's token is dead: code 8005, or HTTP 401 with no code or only
    the 3 of an authentication that failed."""
    outer, code = _codes_of(return_code, return_msg)
    is_unauthorized = http_status == _UNAUTHORIZED and code is None and outer in {None, "3"}
    return outer != "0" and (code == DEAD_TOKEN_CODE or is_unauthorized)


def _codes_of(return_code: object, return_msg: object) -> tuple[str | None, str | None]:
    """Return the number in `return_code`, and the four-digit code in either field."""
    number = return_number(return_code)
    outer = None if number is None else str(number)
    return outer, inner_code(return_msg) or (outer if outer in _CODES else None)


def error_for(
    return_code: object, return_msg: object, *, http_status: int = 200, retry_after: float | None = None
) -> KiwoomTokenError:
    """Return the error for a failed answer.

    `return_code` and `return_msg` are the answer's fields as they came, or None; `retry_after` is in seconds (see
    `retry_after_seconds`). The error's `code` is the broker's ("8030"), or "429" or "HTTP 503" when only the HTTP
    status says what happened, or None when nothing does.
    """
    outer, code = _codes_of(return_code, return_msg)
    has_code = code is not None or outer not in {None, "0"}
    kind: type[BrokerError]
    remedy: str | None = None
    if code in _CODES:
        kind, sentence, remedy = _CODES[code]
    elif http_status == 429:
        kind, sentence, code = RateLimited, _TOO_MANY, code or "429"
    elif not 200 <= http_status < 300 and not (has_code and 400 <= http_status < 500):
        kind, sentence, code = BrokerUnavailable, NOT_KIWOOM, code or f"HTTP {http_status}"
    elif code is not None:
        kind, sentence = (RateLimited, _TOO_MANY) if outer == "5" else (UnknownFailure, UNKNOWN_REFUSAL)
    elif outer in _OUTER_CODES:
        kind, sentence, remedy = _OUTER_CODES[outer]
        code = outer
    elif outer is not None and outer != "0":
        kind, sentence, code = UnknownFailure, UNKNOWN_REFUSAL, outer
    else:
        kind, sentence = BrokerUnavailable, NOT_KIWOOM
    return kind(sentence, code=code, retry_after=retry_after if kind.retry else None, remedy=remedy)
