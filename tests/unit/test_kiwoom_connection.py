"""Where keys may be sent, and the way there: certificates and proxies, with real servers on loopback."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
import traceback

import pytest

from tests.answers import Answers
from tests.certificates import self_made
from tray_app.core.errors import BrokerUnavailable, InvalidInput, SettingsError
from tray_app.kiwoom.broker import Broker
from tray_app.kiwoom.connection import base_url_for, check_base_url
from tray_app.kiwoom.keys import clean_keys

APP_KEY = "APPKEY-that-nobody-may-see"
KEYS = clean_keys(APP_KEY, "APPSECRET-that-nobody-may-see")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for scheme in ("http", "https", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


@pytest.fixture
def good_answer():
    in_a_day = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + 9 * 3600 + 86000))
    return json.dumps({"token": "token-of-a-test", "expires_dt": in_a_day, "return_code": 0}).encode()


class Proxy:
    """A proxy for CONNECT that leads everybody to `port`, wherever they wish to go; keeps what it was asked."""

    def __init__(self, port, status=b"200 Connection established"):
        self.asked = []
        self._port, self._status = port, status
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                self._lead(self._server.accept()[0])

    def _lead(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head)
        client.sendall(b"HTTP/1.1 " + self._status + b"\r\n\r\n")
        if not self._status.startswith(b"200"):
            client.close()
            return
        target = socket.create_connection(("127.0.0.1", self._port))
        for here, there in ((client, target), (target, client)):
            threading.Thread(target=self._pump, args=(here, there), daemon=True).start()

    def _pump(self, here, there):
        with contextlib.suppress(OSError):
            while data := here.recv(4096):
                there.sendall(data)
        for end in (here, there):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class TestCertificates:
    def test_one_that_the_environment_names_is_trusted(self, tmp_path, monkeypatch, good_answer):
        made = self_made(tmp_path, "127.0.0.1")
        monkeypatch.setenv("SSL_CERT_FILE", str(made[0]))
        with Answers(good_answer, certificate=made) as kiwoom:
            assert Broker(kiwoom.base_url).issue(KEYS).token.value.reveal() == "token-of-a-test"

    @pytest.mark.parametrize("name", ["127.0.0.1", "other.example"])
    def test_a_strangers_is_refused_before_anything_is_sent(self, tmp_path, monkeypatch, good_answer, name):
        # GIVEN a certificate that nobody vouches for, or a trusted one of another host.
        made = self_made(tmp_path, name)
        if name != "127.0.0.1":
            monkeypatch.setenv("SSL_CERT_FILE", str(made[0]))
        with Answers(good_answer, certificate=made) as kiwoom:
            with pytest.raises(BrokerUnavailable, match="secure connection"):
                Broker(kiwoom.base_url).issue(KEYS)
            assert kiwoom.asked == []


class TestProxy:
    @pytest.fixture
    def kiwoom(self, tmp_path, monkeypatch, good_answer):
        """Answers for kiwoom.test, and is to be found through a proxy only."""
        made = self_made(tmp_path, "kiwoom.test")
        monkeypatch.setenv("SSL_CERT_FILE", str(made[0]))
        with Answers(good_answer, certificate=made) as server:
            yield server

    @pytest.mark.parametrize(
        ("variable", "address"), [("HTTPS_PROXY", "http://{}"), ("https_proxy", "{}"), ("ALL_PROXY", "http://{}/")]
    )
    def test_leads_to_kiwoom_and_sees_no_key(self, kiwoom, monkeypatch, variable, address):
        with Proxy(kiwoom.port) as proxy:
            monkeypatch.setenv(variable, address.format(proxy.address))
            issued = Broker("https://kiwoom.test:8443").issue(KEYS)
        assert issued.token.value.reveal() == "token-of-a-test"
        assert proxy.asked[0].startswith(b"CONNECT kiwoom.test:8443 ")
        assert APP_KEY.encode() not in proxy.asked[0]
        assert b"authorization" not in proxy.asked[0].lower()
        assert kiwoom.asked[0][1]["Host"] == "kiwoom.test:8443"

    def test_is_told_the_login_that_its_address_names(self, kiwoom, monkeypatch):
        with Proxy(kiwoom.port) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://trader:pass%40word@{proxy.address}")
            Broker("https://kiwoom.test").issue(KEYS)
        login = base64.b64encode(b"trader:pass@word")
        assert b"Proxy-Authorization: Basic " + login in proxy.asked[0]
        assert "Proxy-Authorization" not in kiwoom.asked[0][1]

    def test_that_refuses_is_no_answer_of_kiwooms(self, kiwoom, monkeypatch):
        with Proxy(kiwoom.port, status=b"502 Bad Gateway") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
            with pytest.raises(BrokerUnavailable, match="does not answer"):
                Broker("https://kiwoom.test").issue(KEYS)
        assert kiwoom.asked == []

    def test_is_not_used_where_the_environment_says_so(self, kiwoom, monkeypatch):
        here = socket.getaddrinfo("127.0.0.1", kiwoom.port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: here)
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "kiwoom.test")

        assert Broker(f"https://kiwoom.test:{kiwoom.port}").issue(KEYS).token.value.reveal() == "token-of-a-test"

    def test_is_not_used_on_loopback(self, good_answer, monkeypatch):
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, "http://127.0.0.1:9")
        with Answers(good_answer) as kiwoom:
            assert Broker(kiwoom.base_url).issue(KEYS).token.value.reveal() == "token-of-a-test"

    @pytest.mark.parametrize(
        "address",
        [
            "gopher://user:hunter2@127.0.0.1:9",
            "socks5://user:hunter2@127.0.0.1:9",
            "https://user:hunter2@127.0.0.1:9",
            "http://user:hunter2@127.0.0.1:port",
            "http://user:hunter2@",
        ],
    )
    def test_that_cannot_be_used_is_said_without_its_password(self, monkeypatch, address):
        monkeypatch.setenv("HTTPS_PROXY", address)
        with pytest.raises(SettingsError, match="proxy") as caught:
            Broker("https://kiwoom.test").issue(KEYS)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))


class TestBaseUrl:
    @pytest.mark.parametrize(
        ("given", "checked"),
        [
            ("https://api.kiwoom.com", "https://api.kiwoom.com"),
            (" https://api.kiwoom.com/ ", "https://api.kiwoom.com"),
            ("HTTPS://API.Kiwoom.com:8443", "https://api.kiwoom.com:8443"),
            ("https://gateway.example/kiwoom/", "https://gateway.example/kiwoom"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://127.255.0.9", "http://127.255.0.9"),
            ("http://localhost:1", "http://localhost:1"),
            ("http://LOCALHOST:1", "http://localhost:1"),
            ("http://[::1]:65535", "http://[::1]:65535"),
        ],
    )
    def test_where_keys_may_be_sent(self, given, checked):
        assert check_base_url(given) == checked

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "api.kiwoom.com",
            "//api.kiwoom.com",
            "https://",
            "https:///oauth2",
            "https:api.kiwoom.com",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "http://api.kiwoom.com",
            "http://127.0.0.1.evil.com",
            "http://localhost.evil.com",
            "http://localhost.",
            "http://localhost@evil.com",
            "http://127.0.0.1:80@evil.com",
            "http://127.0.0.1\\@evil.com",
            "http://127.0.0.1%2eevil.com",
            "http://127.0.0.1%00.evil.com",
            "http://[::1%25eth0]",
            "http://[::ffff:127.0.0.1]",
            "http://[::ffff:8.8.8.8]",
            "http://0.0.0.0",
            "http://[::]",
            "http://128.0.0.1",
            "http://127.1",
            "http://2130706433",
            "http://0x7f.0.0.1",
            "http://0177.0.0.1",
            "http://１２７.0.0.1",
            "http://ⓛocalhost",
            "http:/127.0.0.1",
            "http:\\\\127.0.0.1",
            "http://127.0.0.1:0",
            "http://127.0.0.1:65536",
            "http://127.0.0.1:-1",
            "http://127.0.0.1:x",
            "http://127.0.0.1:80:80",
            "http://127.0.0.1\n.evil.com",
            "http://127.0.0.1 .evil.com",
            "https://user:password@api.kiwoom.com",
            "https://@api.kiwoom.com",
            "https://api.kiwoom.com?",
            "https://api.kiwoom.com?x=1",
            "https://api.kiwoom.com#",
            "https://api.kiwoom.com#x",
            "https://[::1",
            "https://[::1]api.kiwoom.com",
            "https://api.kiwoom.com:",
            "https://api.kiwoom.com:0443",
            "https://키움.com",
        ],
    )
    def test_where_keys_may_not_be_sent(self, url):
        with pytest.raises(InvalidInput) as caught:
            check_base_url(url)
        assert "password" not in str(caught.value)
        with pytest.raises(InvalidInput):
            Broker(url)

    def test_of_the_modes(self):
        assert base_url_for("real") == "https://api.kiwoom.com"
        assert base_url_for("demo", "") == "https://mockapi.kiwoom.com"
        assert base_url_for("real", "http://127.0.0.1:1/") == "http://127.0.0.1:1"
        with pytest.raises(InvalidInput):
            base_url_for("paper")
        with pytest.raises(InvalidInput):
            base_url_for("real", "http://example.com")
