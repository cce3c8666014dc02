"""The way to Kiwoom: certificates, proxies and networks that fail, with real servers on loopback."""

from __future__ import annotations

import base64
import contextlib
import errno
import json
import logging
import os
import socket
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import httpcore  # noqa: F401 - loads its SOCKS part, if that is installed, before a test hides it
import pytest

from tests.answers import Answers
from tests.certificates import self_made
from tests.ports import free_port
from tray_app.core.errors import BrokerUnavailable, Remedy, SettingsError
from tray_app.kiwoom.broker import Broker
from tray_app.kiwoom.http_client import tls_context
from tray_app.kiwoom.keys import clean_keys

APP_KEY = "APPKEY-that-nobody-may-see"
KEYS = clean_keys(APP_KEY, "APPSECRET-that-nobody-may-see")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


@pytest.fixture
def good_answer() -> Any:
    in_a_day = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + 9 * 3600 + 86000))
    return json.dumps({"token": "token-of-a-test", "expires_dt": in_a_day, "return_code": 0}).encode()


@pytest.fixture
def nobody() -> Any:
    """A port of this computer on which nobody listens."""
    return free_port()


def issued_token(broker: Any) -> str:
    return broker.issue(KEYS).token.value.reveal()


class Proxy:
    """A CONNECT proxy that leads every client to `port`, wherever it wants to go, and keeps the requests."""

    def __init__(self, port: Any, status: bytes = b"200 Connection established") -> None:
        self.asked: list[Any] = []
        self._port, self._status = port, status
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Any:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._lead(self._server.accept()[0])

    def _lead(self, client: Any) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head)
        client.sendall(b"HTTP/1.1 " + self._status + b"\r\n\r\n")
        if not self._status.startswith(b"200"):
            client.close()
            return
        self._connect(client)

    def _connect(self, client: Any) -> None:
        target = socket.create_connection(("127.0.0.1", self._port))
        for here, there in ((client, target), (target, client)):
            threading.Thread(target=self._pump, args=(here, there), daemon=True).start()

    def _pump(self, here: Any, there: Any) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(4096):
                there.sendall(data)
        for end in (here, there):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class SocksProxy(Proxy):
    """A SOCKS5 proxy that takes one user name and password, and answers a CONNECT with `reply`."""

    def __init__(self, port: Any, reply: int = 0, login_status: int = 0) -> None:
        super().__init__(port)
        self._reply, self._login_status = reply, login_status

    def _lead(self, client: Any) -> None:
        client.recv(64)
        client.sendall(b"\x05\x02")  # a user name and a password are wanted
        self.asked.append(client.recv(512))
        client.sendall(bytes([1, self._login_status]))
        if self._login_status:
            client.close()
            return
        self.asked.append(client.recv(512))
        client.sendall(bytes([5, self._reply, 0, 1, 127, 0, 0, 1, 0, 80]))
        if self._reply:
            client.close()
            return
        self._connect(client)


class TestCertificates:
    def test_one_that_the_environment_names_is_trusted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good_answer: Any
    ) -> None:
        made = self_made(tmp_path, "127.0.0.1")
        monkeypatch.setenv("SSL_CERT_FILE", str(made[0]))
        with Answers(good_answer, certificate=made) as kiwoom:
            assert issued_token(Broker(kiwoom.base_url)) == "token-of-a-test"

    @pytest.mark.parametrize(
        ("name", "days", "trusted", "reason"),
        [
            ("127.0.0.1", (-1, 1), False, "who issued the certificate of 127.0.0.1"),
            ("other.example", (-1, 1), True, "certificate of another host"),
            ("127.0.0.1", (-2, -1), True, "clock the certificate of 127.0.0.1 has expired or is not valid yet"),
            ("127.0.0.1", (1, 2), True, "clock the certificate of 127.0.0.1 has expired or is not valid yet"),
        ],
    )
    def test_one_that_is_not_right_is_refused_before_anything_is_sent(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        good_answer: Any,
        *,
        name: str,
        days: tuple[int, int],
        trusted: bool,
        reason: str,
    ) -> None:
        made = self_made(tmp_path, name, days=days)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(made[0]))
        with Answers(good_answer, certificate=made) as kiwoom:
            with pytest.raises(BrokerUnavailable, match=r"secure connection.*" + reason):
                Broker(kiwoom.base_url).issue(KEYS)
            assert kiwoom.asked == []

    def test_of_others_that_the_environment_names_are_told_from_unknown_ones(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good_answer: Any
    ) -> None:
        (tmp_path / "other").mkdir()
        monkeypatch.setenv("SSL_CERT_FILE", str(self_made(tmp_path / "other", "other.example")[0]))
        with (
            Answers(good_answer, certificate=self_made(tmp_path, "127.0.0.1")) as kiwoom,
            pytest.raises(BrokerUnavailable, match=r"SSL_CERT_FILE names\. Correct or remove the variable"),
        ):
            Broker(kiwoom.base_url).issue(KEYS)

    def test_are_needed_by_nobody_on_plain_loopback(self, monkeypatch: pytest.MonkeyPatch, good_answer: Any) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
        with Answers(good_answer) as kiwoom:
            assert issued_token(Broker(kiwoom.base_url)) == "token-of-a-test"

    @pytest.mark.parametrize("written", ["{}\r", '"{}"', " {} "])
    def test_are_found_where_a_file_of_windows_or_with_quotes_names_them(
        self, written: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", written.format(self_made(tmp_path, "api.example")[0]))
        monkeypatch.setenv("SSL_CERT_DIR", "\r")

        assert len(tls_context("https://api.example").get_ca_certs()) == 1

    @pytest.mark.parametrize(
        ("variable", "make", "reason"),
        [
            ("SSL_CERT_FILE", lambda path: None, "names a file that does not exist"),
            ("SSL_CERT_FILE", lambda path: path.write_text("not a certificate"), "names a file without certificates"),
            ("SSL_CERT_FILE", lambda path: path.mkdir(), "SSL_CERT_FILE names a file"),
            pytest.param(
                "SSL_CERT_FILE",
                lambda path: os.mkfifo(path),  # noqa: PLW0108 - Windows has none
                "names a file that cannot be read",
                marks=pytest.mark.posix,
            ),
            ("SSL_CERT_DIR", lambda path: None, "names a folder that does not exist"),
        ],
    )
    def test_that_the_environment_names_in_vain_are_said_as_such(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, make: Callable[..., Any], reason: str
    ) -> None:
        path = tmp_path / "company.pem"
        make(path)
        monkeypatch.setenv(variable, str(path))
        with pytest.raises(SettingsError, match=reason) as caught:
            Broker("https://127.0.0.1:9").issue(KEYS)
        assert str(path) in str(caught.value)

    @pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="these systems always have certificates")
    def test_where_the_system_has_none_certifis_are_used(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good_answer: Any
    ) -> None:
        # GIVEN a bare container image, and a certifi that vouches for the server.
        made = self_made(tmp_path, "127.0.0.1")
        empty = ssl.DefaultVerifyPaths(None, None, "", "", "", "")  # type: ignore[arg-type]
        is_file = os.path.isfile
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: empty)
        monkeypatch.setattr(os.path, "isfile", lambda path: not str(path).startswith("/etc/") and is_file(path))
        monkeypatch.setattr(certifi, "where", lambda: str(made[0]))
        with Answers(good_answer, certificate=made) as kiwoom:
            assert issued_token(Broker(kiwoom.base_url)) == "token-of-a-test"


@pytest.fixture
def kiwoom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good_answer: Any) -> Iterator[Answers]:
    """Answers for kiwoom.test, and can be reached through a proxy only."""
    made = self_made(tmp_path, "kiwoom.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(made[0]))
    with Answers(good_answer, certificate=made) as server:
        yield server


class TestProxy:
    @pytest.mark.parametrize(
        ("variable", "address"), [("HTTPS_PROXY", "http://{}"), ("https_proxy", "{}"), ("ALL_PROXY", "http://{}/")]
    )
    def test_leads_to_kiwoom_and_sees_no_key(
        self, kiwoom: Answers, monkeypatch: pytest.MonkeyPatch, variable: str, address: str
    ) -> None:
        with Proxy(kiwoom.port) as proxy:
            monkeypatch.setenv(variable, address.format(proxy.address))
            token = issued_token(Broker("https://kiwoom.test:8443"))
        assert token == "token-of-a-test"
        assert proxy.asked[0].startswith(b"CONNECT kiwoom.test:8443 ")
        assert APP_KEY.encode() not in proxy.asked[0]
        assert b"authorization" not in proxy.asked[0].lower()
        assert kiwoom.asked[0][1]["Host"] == "kiwoom.test:8443"

    def test_that_says_nothing_has_sent_nothing_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{silent.getsockname()[1]}")
            with pytest.raises(BrokerUnavailable) as raised:
                Broker("https://kiwoom.test", timeout=1).issue(KEYS)

        assert not raised.value.was_sent

    def test_is_told_the_login_that_its_address_names(
        self, kiwoom: Answers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        with Proxy(kiwoom.port) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://trader:pass%40word@{proxy.address}")
            Broker("https://kiwoom.test").issue(KEYS)
        login = base64.b64encode(b"trader:pass@word")
        assert b"proxy-authorization: basic " + login.lower() in proxy.asked[0].lower()
        assert "proxy-authorization" not in {name.lower() for name in kiwoom.asked[0][1]}
        assert "pass" not in caplog.text
        assert login.decode() not in caplog.text

    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            (b"407 Proxy Authentication Required", "asks for a user name and a password"),
            (b"403 Forbidden", "does not allow connections to kiwoom.test"),
            (b"502 Bad Gateway", "Kiwoom does not answer.* cannot connect to kiwoom.test"),
        ],
    )
    def test_that_refuses_is_no_answer_of_kiwooms(
        self, kiwoom: Answers, monkeypatch: pytest.MonkeyPatch, status: bytes, reason: str
    ) -> None:
        with Proxy(kiwoom.port, status=status) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@{proxy.address}")
            with pytest.raises(BrokerUnavailable, match=reason) as caught:
                Broker("https://kiwoom.test").issue(KEYS)
        assert kiwoom.asked == []
        assert f"proxy {proxy.address} " in str(caught.value)
        assert caught.value.remedy == Remedy.RETRY
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_that_is_not_there_is_named(
        self, kiwoom: Answers, monkeypatch: pytest.MonkeyPatch, nobody: Any, scheme: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://user:hunter2@127.0.0.1:{nobody}")
        with pytest.raises(BrokerUnavailable, match=f"proxy 127.0.0.1:{nobody} does not answer") as caught:
            Broker("https://kiwoom.test").issue(KEYS)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))

    def test_is_not_used_where_the_environment_says_so(
        self, kiwoom: Answers, monkeypatch: pytest.MonkeyPatch, nobody: Any
    ) -> None:
        here = socket.getaddrinfo("127.0.0.1", kiwoom.port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: here)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{nobody}")
        monkeypatch.setenv("NO_PROXY", "kiwoom.test")

        assert issued_token(Broker(f"https://kiwoom.test:{kiwoom.port}")) == "token-of-a-test"

    def test_is_not_used_on_loopback(self, good_answer: Any, monkeypatch: pytest.MonkeyPatch, nobody: Any) -> None:
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{nobody}")
        with Answers(good_answer) as kiwoom:
            assert issued_token(Broker(kiwoom.base_url)) == "token-of-a-test"

    @pytest.mark.parametrize(
        "address",
        [
            "gopher://user:hunter2@127.0.0.1:9",
            "http://user:hunter2@127.0.0.1:port",
            "http://user:hunter2@",
        ],
    )
    def test_that_cannot_be_used_is_said_without_its_password(
        self, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", address)
        with pytest.raises(SettingsError, match="proxy") as caught:
            Broker("https://kiwoom.test").issue(KEYS)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None


class TestSocksProxy:
    def test_without_its_package_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "socksio", None)
        monkeypatch.setenv("HTTPS_PROXY", "socks5://user:hunter2@127.0.0.1:9")
        with pytest.raises(SettingsError, match=r"SOCKS proxy.* -m pip install .socksio") as caught:
            Broker("https://kiwoom.test").issue(KEYS)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))

    def test_leads_to_kiwoom_and_its_password_is_not_logged(
        self, kiwoom: Answers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        pytest.importorskip("socksio")
        caplog.set_level("DEBUG")
        with SocksProxy(kiwoom.port) as proxy:
            monkeypatch.setenv("ALL_PROXY", f"socks5://trader:hunter2@{proxy.address}")
            assert issued_token(Broker("https://kiwoom.test")) == "token-of-a-test"
        assert b"hunter2" in proxy.asked[0]
        assert b"kiwoom.test" in proxy.asked[1]
        assert logging.getLogger("httpcore.socks").isEnabledFor(logging.DEBUG)
        assert "hunter2" not in caplog.text

    @pytest.mark.parametrize(
        ("how", "reason"),
        [
            ({"login_status": 1}, "asks for a user name and a password"),
            ({"reply": 2}, "does not allow connections to kiwoom.test"),
            ({"reply": 4}, "cannot connect to kiwoom.test"),
        ],
    )
    def test_that_refuses_says_why(
        self, kiwoom: Answers, monkeypatch: pytest.MonkeyPatch, how: dict[str, int], reason: str
    ) -> None:
        pytest.importorskip("socksio")
        with SocksProxy(kiwoom.port, **how) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"socks5://trader:hunter2@{proxy.address}")
            with pytest.raises(BrokerUnavailable, match=reason) as caught:
                Broker("https://kiwoom.test").issue(KEYS)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))


class TestNetwork:
    def test_name_that_cannot_be_looked_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def look_up(*_: Any, **__: Any) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        with pytest.raises(BrokerUnavailable, match=r"the name kiwoom\.test cannot be looked up"):
            Broker("https://kiwoom.test").issue(KEYS)

    @pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH])
    def test_no_network(self, monkeypatch: pytest.MonkeyPatch, nobody: Any, number: int) -> None:
        def connect(*_: Any) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(socket.socket, "connect", connect)
        with pytest.raises(BrokerUnavailable, match="not connected to a network"):
            Broker(f"http://127.0.0.1:{nobody}").issue(KEYS)

    def test_sockets_of_a_host_program_that_are_not_pythons_own(
        self, monkeypatch: pytest.MonkeyPatch, good_answer: Any
    ) -> None:
        """As those of eventlet, which have no methods in their class."""

        class Wrapped:
            def __init__(self, connection: socket.socket) -> None:
                self._connection = connection

            def __getattr__(self, name: str) -> Any:
                return getattr(self._connection, name)

        connect = socket.create_connection
        monkeypatch.setattr(socket, "create_connection", lambda *args, **how: Wrapped(connect(*args, **how)))

        with Answers(good_answer) as kiwoom:
            assert issued_token(Broker(kiwoom.base_url)) == "token-of-a-test"

    def test_connection_that_is_refused(self, nobody: Any) -> None:
        with pytest.raises(BrokerUnavailable, match=r"connection to 127\.0\.0\.1 was refused.*firewall"):
            Broker(f"http://127.0.0.1:{nobody}").issue(KEYS)

    def test_connection_that_is_closed_early(self) -> None:
        def hang_up(server: Any) -> None:
            server.accept()[0].close()

        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=hang_up, args=(server,), daemon=True).start()
            with pytest.raises(BrokerUnavailable, match="closed early"):
                Broker(f"http://127.0.0.1:{server.getsockname()[1]}").issue(KEYS)

    def test_connection_that_is_not_made_in_time_names_the_time(
        self, monkeypatch: pytest.MonkeyPatch, nobody: Any
    ) -> None:
        def connect(*_: Any) -> None:
            raise TimeoutError

        monkeypatch.setattr(socket.socket, "connect", connect)
        with pytest.raises(BrokerUnavailable, match="does not answer within 4 seconds"):
            Broker(f"http://127.0.0.1:{nobody}", connect_timeout=4).issue(KEYS)

    def test_no_answer_in_time_names_the_time(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            broker = Broker(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.3)
            with pytest.raises(BrokerUnavailable, match=r"does not answer within 0\.3 seconds"):
                broker.issue(KEYS)
