"""The token for anything written on httpx: `httpx.Client(auth=KiwoomAuth())`, `httpx.AsyncClient(auth=KiwoomAuth())`.

Source: the Kiwoom REST API guide; a dead token is answered with HTTP 200, `return_code` 3 and
`[8005:Token이 유효하지 않습니다]` in `return_msg`. Such a request was not carried out, so repeating it is safe.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx

from tray_app.api.background import on_a_thread
from tray_app.core import logs
from tray_app.core.errors import InvalidInput, KiwoomTokenError
from tray_app.core.language import msg
from tray_app.kiwoom.codes import inner_code, return_number
from tray_app.kiwoom.endpoints import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from typing import Protocol

    class Tokens(Protocol):
        """What is needed of a `TokenManager`."""

        def get_valid_token(self) -> str: ...
        def replace_refused(self, refused: str) -> str: ...


_DEAD_TOKEN = 8005
_HEADER = "authorization"


class KiwoomAuth(httpx.Auth):
    """Attaches `authorization: Bearer …`; on 8005 re-reads, adopts or renews once, and retries once.

    `manager` is a `TokenManager`, by default `tray_app.token_manager`. Sending raises what `ensure_token` raises
    when there is no token to be had, and `InvalidInput` for plain http to another computer. An answer is never
    turned into an exception: when no other token is to be had after an 8005, the 8005 is the answer. The same
    when the request's body is a stream, which cannot be sent twice; the next request then has the new token.

    Answers are read whole before they are handed out, so a streamed one has no `iter_raw`.
    """

    requires_response_body = True

    def __init__(self, manager: Tokens | None = None) -> None:
        self._manager = manager

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._token_for(request)
        response = yield _with_token(request, token)
        response.read()
        if _refuses_token(response):
            other = self._instead_of(token)
            if other is not None and _is_repeatable(request):
                yield _with_token(request, other)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await on_a_thread(lambda: self._token_for(request))
        response = yield _with_token(request, token)
        await response.aread()
        if _refuses_token(response):
            other = await on_a_thread(lambda: self._instead_of(token))
            if other is not None and _is_repeatable(request):
                yield _with_token(request, other)

    def _token_for(self, request: httpx.Request) -> str:
        if request.url.scheme != "https" and not is_loopback(request.url.host):
            raise InvalidInput(msg("The token is sent over https only, or to this computer itself."))
        return self._tokens().get_valid_token()

    def _instead_of(self, refused: str) -> str | None:
        try:
            token = self._tokens().replace_refused(refused)
        except KiwoomTokenError as error:
            logs.warning("Kiwoom refused the token, and there is no other: %s", error)
            return None
        if token == refused:
            logs.warning("Kiwoom refused the token and gave the same one back")
            return None
        return token

    def _tokens(self) -> Tokens:
        if self._manager is None:
            import tray_app

            self._manager = tray_app.token_manager
        return self._manager


def _with_token(request: httpx.Request, token: str) -> httpx.Request:
    request.headers[_HEADER] = f"Bearer {token}"
    return request


def _is_repeatable(request: httpx.Request) -> bool:
    """Whether httpx holds the whole body in memory."""
    try:
        return request.content is not None
    except httpx.RequestNotRead:
        return False


def _refuses_token(response: httpx.Response) -> bool:
    try:
        fields = json.loads(response.content)
    except (ValueError, RecursionError):
        return False
    if not isinstance(fields, dict):
        return False
    number = return_number(fields.get("return_code"))
    return number == _DEAD_TOKEN or (number != 0 and inner_code(fields.get("return_msg")) == str(_DEAD_TOKEN))
