"""The token for anything written on httpx: `httpx.Client(auth=KiwoomAuth())`, `httpx.AsyncClient(auth=KiwoomAuth())`.

Source: the Kiwoom REST API guide; a dead token is answered with HTTP 200, `return_code` 3 and
`[8005:Token이 유효하지 않습니다]` in `return_msg`; some projects have seen HTTP 401. Such a request was not
carried out, so it is safe to repeat it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import httpx

from tray_app.api.background import on_a_thread, start_in_background
from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError
from tray_app.core.secret import Secret
from tray_app.kiwoom.codes import refuses_token, return_number
from tray_app.kiwoom.endpoints import HOSTS, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, Protocol

    class Tokens(Protocol):
        """The part of a `TokenManager` that `KiwoomAuth` needs.

        `base_url`, if there is one, is the account's address. `confirm` and `doubt`, if they are there, are called with
        a token that Kiwoom has served a request with, or refused where no other is asked for.
        """

        def get_valid_token(self) -> str: ...
        def replace_refused(self, refused: str) -> str: ...


_HEADER = "authorization"
_MARK = "kiwoom_token_tray"
"""An extension of requests that were given the token: a program may send one again, to another host."""

_DEFAULT_PORTS = {"https": 443, "http": 80}


class KiwoomAuth(httpx.Auth):
    """Attach `authorization: Bearer …` to requests to Kiwoom; on 8005, or HTTP 401 without another code, get another
    token and retry once.

    `manager` is a `TokenManager`, by default `tray_app.token_manager`. Its `confirm` is called with the token that
    Kiwoom has accepted.

    The token is sent to the account's base URL alone: the real or the mock host, or `KIWOOM_TRAY_BASE_URL`. A request
    to any other address, on this computer too, is sent without it, which is logged once for each host. Where the base
    URL is plain http, give the client `trust_env=False`: a proxy of the environment would see the token.

    Sending raises what `ensure_token` raises when no token can be issued. An answer is never turned into an exception:
    if there is no other token after an 8005, the 8005 is returned. The same holds for a request whose body is a
    stream, which cannot be sent twice; the next request then has the new token.

    An event hook that raises keeps the answer from it; if the exception is httpx' own, or repeats Kiwoom's 8005, the
    next request has another token.

    Answers are read as a whole before they are returned, so a streamed one has no `iter_raw`.
    """

    def __init__(self, manager: Tokens | None = None) -> None:
        self._manager = manager
        self._reported_hosts: set[str] = set()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._may_see_token(request):
            yield request
            return
        token = Secret(self._tokens().get_valid_token())
        try:
            response = yield _with_token(request, token)
            response.read()
            if not self._learns_refusal(response, token):
                return
            other = self._instead_of(token)
            if other is None or not _is_repeatable(request):
                return
            token = other
            response = yield _with_token(request, token)
            response.read()
            if self._learns_refusal(response, token):
                self._doubt(token)
        except GeneratorExit as end:
            if self._tells_refusal(end.__context__):
                self._doubt(token)
            raise

    def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        sent: list[Secret] = []

        def on_close(error: BaseException | None) -> None:
            if sent and self._tells_refusal(error):
                start_in_background(lambda: self._doubt(sent[-1]))

        return _AsyncFlow(self._async_flow(request, sent), on_close)

    async def _async_flow(
        self, request: httpx.Request, sent: list[Secret]
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do what `sync_auth_flow` does, and add each token that is sent to `sent`."""
        if not await on_a_thread(lambda: self._may_see_token(request)):
            yield request
            return
        token = await on_a_thread(lambda: Secret(self._tokens().get_valid_token()))
        sent.append(token)
        response = yield _with_token(request, token)
        await response.aread()
        if not self._learns_refusal(response, token):
            return
        other = await on_a_thread(lambda: self._instead_of(token))
        if other is None or not _is_repeatable(request):
            return
        sent.append(other)
        response = yield _with_token(request, other)
        await response.aread()
        if self._learns_refusal(response, other):
            await on_a_thread(lambda: self._doubt(other))

    def _may_see_token(self, request: httpx.Request) -> bool:
        host = request.url.host
        if _origin(request.url) in self._kiwoom_origins():
            return True
        if request.extensions.pop(_MARK, False):
            request.headers.pop(_HEADER, None)
        if host not in self._reported_hosts:
            self._reported_hosts.add(host)
            logs.warning("The request to %s is sent without the token, because that is not this account's Kiwoom", host)
        return False

    def _kiwoom_origins(self) -> set[tuple[str, str, int | None]]:
        own = getattr(self._tokens(), "base_url", None)
        return {_origin(httpx.URL(address)) for address in ([own] if own else HOSTS.values())}

    def _learns_refusal(self, response: httpx.Response, token: Secret) -> bool:
        """Return True if Kiwoom refuses the token; where Kiwoom has served the request with it, confirm it."""
        fields = _fields_of(response)
        if self._refuses_token(response, fields):
            return True
        if self._is_served_by_kiwoom(response, fields):
            self._confirm(token)
        return False

    def _refuses_token(self, response: httpx.Response, fields: dict[str, object]) -> bool:
        """Return True for Kiwoom's 8005, and its HTTP 401 without another code. What another host answers after a
        redirect says nothing: it was not sent the token."""
        status, code, told = response.status_code, fields.get("return_code"), fields.get("return_msg")
        return _origin(response.url) in self._kiwoom_origins() and refuses_token(code, told, http_status=status)

    def _tells_refusal(self, error: BaseException | None) -> bool:
        """Return True if an exception tells that Kiwoom refuses the token: one that an event hook has raised, after
        which nobody gets the answer. It carries the answer, as httpx' own does, or repeats its text."""
        response = getattr(error, "response", None)
        if isinstance(response, httpx.Response):
            return self._refuses_token(response, _fields_of(response))
        return isinstance(error, Exception) and refuses_token(None, str(error))

    def _is_served_by_kiwoom(self, response: httpx.Response, fields: dict[str, object]) -> bool:
        """Return True if Kiwoom carried the request out, rather than a redirect or this computer itself."""
        is_done = response.is_success and return_number(fields.get("return_code")) == 0
        return is_done and _origin(response.url) in self._kiwoom_origins()

    def _confirm(self, token: Secret) -> None:
        confirm = getattr(self._tokens(), "confirm", None)
        if confirm is not None:
            confirm(token.reveal())

    def _doubt(self, token: Secret) -> None:
        doubt = getattr(self._tokens(), "doubt", None)
        if doubt is not None:
            try:
                doubt(token.reveal())
            except KiwoomTokenError as error:
                logs.warning("Kiwoom refused the token, and that could not be recorded: %s", error)

    def _instead_of(self, refused: Secret) -> Secret | None:
        try:
            token = Secret(self._tokens().replace_refused(refused.reveal()))
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


class _AsyncFlow(AsyncGenerator[httpx.Request, httpx.Response]):
    """An asynchronous flow that learns with which exception it is closed, which an asynchronous generator does not."""

    def __init__(
        self,
        flow: AsyncGenerator[httpx.Request, httpx.Response],
        on_close: Callable[[BaseException | None], None],
    ) -> None:
        self._flow = flow
        self._on_close = on_close
        self._handled_before = sys.exc_info()[1]
        """What the caller is just handling, as in `except`, says nothing about this request."""

    async def asend(self, value: httpx.Response) -> httpx.Request:
        return await self._flow.asend(value)

    async def athrow(self, *error: Any) -> httpx.Request:
        return await self._flow.athrow(*error)

    async def aclose(self) -> None:
        error = sys.exc_info()[1]
        self._on_close(None if error is self._handled_before else error)
        await self._flow.aclose()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return scheme, host and port. All names of this computer count as one host."""
    host = "localhost" if is_loopback(url.host) else url.host
    return url.scheme, host, url.port or _DEFAULT_PORTS.get(url.scheme)


def _with_token(request: httpx.Request, token: Secret) -> httpx.Request:
    request.headers[_HEADER] = f"Bearer {token.reveal()}"
    request.extensions[_MARK] = True
    return request


def _is_repeatable(request: httpx.Request) -> bool:
    """Return True if httpx has the whole body in memory."""
    try:
        return request.content is not None
    except httpx.RequestNotRead:
        return False


def _fields_of(response: httpx.Response) -> dict[str, object]:
    """Return the JSON object of the answer; empty for anything else."""
    try:
        fields = json.loads(response.content)
    except (ValueError, RecursionError, httpx.ResponseNotRead):
        return {}
    return fields if isinstance(fields, dict) else {}
