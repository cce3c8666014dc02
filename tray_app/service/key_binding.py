"""Which account a token belongs to: no token of one account may reach another."""

from __future__ import annotations

from functools import partial

from tray_app.core import logs
from tray_app.core.errors import KiwoomTokenError, SettingsError
from tray_app.core.profile import DEFAULT
from tray_app.core.secret import FINGERPRINT_DIGITS, HiddenMapping, Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tray_app.core.token import Token
    from tray_app.kiwoom.keys import AppKeys
    from tray_app.settings.load import Settings

_ROUTE_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


class KeyBinding:
    """The mode and keys of one profile, as a token's `issued_for` names them: `mode:fingerprint`, with nothing after
    the colon where only the mode is known.

    Keys in the environment are compared at every read, because another program may be started with others. Those in the
    keyring, which `kiwoomcli setup` may have replaced, are compared whenever the token comes from there too, and once
    with a token from Redis, which other computers write as well. They are not compared with a token in a file: asking
    the keyring for it would cost more than everything else in a read. `find_keys` returns both keys or raises.
    """

    def __init__(
        self, settings: Settings, environ: Mapping[str, str], find_keys: Callable[[], AppKeys] | None = None
    ) -> None:
        self._settings = settings
        self._environ = HiddenMapping(environ)
        self._find_keys = find_keys
        self._read_app_key: Callable[[], object] | None = None
        self._compared: tuple[Token, bool] | None = None

    @property
    def settings(self) -> Settings:
        """The settings of the profile, with the account that it stands for by now."""
        return self._settings

    def issued_for(self, keys: AppKeys) -> str:
        """Return the `issued_for` of a token that was issued with these keys."""
        return f"{self._settings.mode}:{keys.fingerprint()[:FINGERPRINT_DIGITS]}"

    def of_profile(self) -> str:
        """Return the `issued_for` of the keys that would be used now; empty if there are none. May ask the keyring."""
        keys = self._keys_of_profile()
        return "" if keys is None else self.issued_for(keys)

    def route(self) -> str:
        """Return the fingerprint of how Kiwoom is reached: by which address, proxies and certificates. After a change a
        request may succeed that failed before."""
        named = [self._environ.get(name, "") for one in _ROUTE_VARIABLES for name in (one, one.lower())]
        return Secret("\n".join([self._settings.base_url or "", *named])).fingerprint()

    def known(self) -> str:
        """Return the `issued_for` of a token that somebody else issued for this account, as far as no keyring is
        asked."""
        keys = self._keys_of_environment()
        return f"{self._settings.mode}:" if keys is None else self.issued_for(keys)

    def app_key(self) -> object:
        """Return a value that differs when the environment names another app key: that is another account.

        Every `get_token` compares it, so it is the undecoded variable, which is quick to read.
        """
        read = self._read_app_key
        if read is None:
            read = self._read_app_key = self._app_key_reader()
        return read()

    def fits(self, token: Token, keys: AppKeys) -> bool:
        """Return False for a token that is known to be of another mode or of other keys than these."""
        mode, _, fingerprint = token.issued_for.partition(":")
        if not mode:
            return True
        if mode != self._settings.mode:
            return False
        return not fingerprint or fingerprint == keys.fingerprint()[:FINGERPRINT_DIGITS]

    def adopt_alias(self, keys: AppKeys) -> dict[str, object] | None:
        """Let the default profile stand for the `kiwoomcli` alias of these keys from now on, and return the settings
        for `save` that say so; None if nothing changes.

        The profile stands for that alias because it was the only one, and another one added later changes nothing. What
        the environment chose applies once, and does not replace another choice. This process stays with the alias, also
        if `save` cannot write it.
        """
        settings = self._settings
        if settings.profile != DEFAULT or keys.alias is None or keys.alias == settings.account:
            return None
        from tray_app.settings.load import ENVIRONMENT

        chosen: dict[str, object] = {"account": keys.alias, "mode": settings.mode}
        if settings.sources.get("mode") == ENVIRONMENT:
            if settings.account:
                return None
            del chosen["mode"]
        self._settings = settings.replace(account=keys.alias)
        return chosen

    def save(self, chosen: dict[str, object] | None) -> None:
        """Write what `adopt_alias` returned. Call this without the profile's lock: it may wait for a disk."""
        if chosen is None:
            return
        from tray_app.settings.save import save_setting

        try:
            for name, value in chosen.items():
                save_setting(name, value, environ=self._environ)
        except SettingsError as error:
            logs.warning("The account of the default profile is not kept: %s", error)

    def owns(self, token: Token, place_kind: str = "file") -> bool:
        """Return False for a token that is known to be of another mode or other keys; `place_kind` is the kind of its
        place."""
        mode, _, fingerprint = token.issued_for.partition(":")
        if mode and mode != self._settings.mode:
            return False
        if not fingerprint:
            return True
        keys = self._keys_of_environment()
        if keys is None and place_kind == "redis":
            return self._owns_once_compared(token)
        if keys is None and place_kind == "keyring":
            keys = self._keys_of_profile()
        return keys is None or self.fits(token, keys)

    def _owns_once_compared(self, token: Token) -> bool:
        if self._compared is None or self._compared[0] != token:
            keys = self._keys_of_profile()
            self._compared = (token, keys is None or self.fits(token, keys))
        return self._compared[1]

    def prepare(self) -> None:
        """Load what `owns` needs."""
        keys = self._keys_of_environment()
        if keys is not None:
            keys.fingerprint()

    def _app_key_reader(self) -> Callable[[], object]:
        if self._settings.profile != DEFAULT:
            return lambda: None
        from tray_app.settings.table import KEY_VARIABLES

        return _reader(self._environ.reveal(), KEY_VARIABLES[self._settings.mode][0])

    def _keys_of_environment(self) -> AppKeys | None:
        if self._settings.profile != DEFAULT:
            return None
        from tray_app.kiwoom.keys import keys_of_environment

        try:
            return keys_of_environment(self._settings.mode, self._environ)
        except KiwoomTokenError:  # reported when they are needed
            return None

    def _keys_of_profile(self) -> AppKeys | None:
        try:
            return None if self._find_keys is None else self._find_keys()
        except KiwoomTokenError:  # without keys, or while the keyring is locked, it is not known
            return None


def _reader(environ: Mapping[str, str], name: str) -> Callable[[], object]:
    """Return a function that reads a variable, of `os.environ` without decoding it, which takes a tenth of the time."""
    data, encode = getattr(environ, "_data", None), getattr(environ, "encodekey", None)
    if isinstance(data, dict) and encode is not None:
        key = encode(name)
        if data.get(key) is not None or environ.get(name) is None:
            return partial(data.get, key)
    return partial(environ.get, name)
