"""Where app keys may be sent."""

from __future__ import annotations

import pytest

from tray_app.core.errors import InvalidInput
from tray_app.kiwoom.broker import Broker
from tray_app.kiwoom.endpoints import base_url_for, check_base_url, is_loopback


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
    def test_is_accepted_and_normalised(self, given: str, checked: str) -> None:
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
    def test_is_refused_without_repeating_it(self, url: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            check_base_url(url)
        assert "password" not in str(caught.value)
        with pytest.raises(InvalidInput):
            Broker(url)

    def test_of_a_mode(self) -> None:
        assert base_url_for("real") == "https://api.kiwoom.com"
        assert base_url_for("demo", "") == "https://mockapi.kiwoom.com"
        assert base_url_for("real", "http://127.0.0.1:1/") == "http://127.0.0.1:1"
        with pytest.raises(InvalidInput):
            base_url_for("paper")
        with pytest.raises(InvalidInput):
            base_url_for("real", "http://example.com")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True)]
    + [(host, False) for host in ("localhost.evil.com", "128.0.0.1", "::ffff:127.0.0.1", "[::1]", "", "kiwoom.com")],
)
def test_a_loopback_address_is_told_from_any_other(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
