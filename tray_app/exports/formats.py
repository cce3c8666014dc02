"""The formats in which `kiwoom-token get` and `exec` give the token to other programs."""

from __future__ import annotations

from tray_app.core.token import format_expires_dt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tray_app.core.token import Token


def raw(token: Token) -> str:
    """Return the token alone."""
    return token.value.reveal()


def header(token: Token) -> str:
    """Return the HTTP header that Kiwoom's REST API requires."""
    return f"authorization: Bearer {token.value.reveal()}"


def json_object(token: Token) -> str:
    """Return `token` and `expires_dt` as many trading bots read them, and the expiry with its zone."""
    import json

    return json.dumps(
        {
            "token": token.value.reveal(),
            "token_type": "bearer",
            "expires_dt": format_expires_dt(token.expires_at),
            "expires_at": token.expires_at.isoformat(),
        }
    )


def environment(token: Token) -> dict[str, str]:
    """Return the environment variables that other tools read."""
    return {
        "KIWOOM_TOKEN": token.value.reveal(),
        "KIWOOM_ACCESS_TOKEN": token.value.reveal(),
        "KIWOOM_ACCESS_TOKEN_EXPIRES_AT": token.expires_at.isoformat(),
    }


def kwcli_environment(token: Token) -> dict[str, str]:
    """Return what `environment` does, and the variable that makes `kiwoomcli` use them instead of its own cache."""
    return {**environment(token), "KIWOOM_TOKEN_STORE": "memory"}


def _lines(variables: Callable[[Token], dict[str, str]]) -> Callable[[Token], str]:
    return lambda token: "\n".join(f"{name}={value}" for name, value in variables(token).items())


FORMATS: dict[str, Callable[[Token], str]] = {
    "raw": raw,
    "json": json_object,
    "header": header,
    "env": _lines(environment),
    "kwcli": _lines(kwcli_environment),
}

ENVIRONMENTS: dict[str, Callable[[Token], dict[str, str]]] = {"env": environment, "kwcli": kwcli_environment}
