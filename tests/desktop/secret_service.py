"""The keyring on the bus: what lies in it, and locking it."""

from collections.abc import Iterator
from contextlib import contextmanager

from .bus import Bus, BusError

SERVICE = "org.freedesktop.secrets"
ROOT = "/org/freedesktop/secrets"
COLLECTION = "/org/freedesktop/secrets/collection/login"
INTERFACE = "org.freedesktop.Secret"
NOTHING = "/"


@contextmanager
def _session(bus: Bus) -> Iterator[str]:
    _output, path = bus.call(SERVICE, ROOT, f"{INTERFACE}.Service", "OpenSession", "sv", "plain", ("s", ""))
    try:
        yield path
    finally:
        bus.call(SERVICE, path, f"{INTERFACE}.Session", "Close")


def locked(bus: Bus) -> bool:
    """Whether the login keyring is locked."""
    return bool(bus.get(SERVICE, COLLECTION, f"{INTERFACE}.Collection", "Locked"))


def lock(bus: Bus) -> None:
    """Locks the login keyring."""
    bus.call(SERVICE, ROOT, f"{INTERFACE}.Service", "Lock", "ao", [COLLECTION])


def unlock_silently(bus: Bus, password: str) -> None:
    """Unlocks without a prompt, as the login does."""
    with _session(bus) as session:
        bus.call(
            SERVICE,
            ROOT,
            "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface",
            "UnlockWithMasterPassword",
            "o(oayays)",
            COLLECTION,
            (session, b"", password.encode(), "text/plain"),
        )


def ask_to_unlock(bus: Bus) -> None:
    """Asks as a program does: the keyring shows its password window."""
    _unlocked, prompt = bus.call(SERVICE, ROOT, f"{INTERFACE}.Service", "Unlock", "ao", [COLLECTION])
    if prompt != NOTHING:
        bus.call(SERVICE, prompt, f"{INTERFACE}.Prompt", "Prompt", "s", "")


def store(bus: Bus, service: str, username: str, secret: str) -> None:
    """Puts a secret where the Python keyring library would, replacing one that is there."""
    with _session(bus) as session:
        properties = {
            f"{INTERFACE}.Item.Label": ("s", f"Password for '{username}' on '{service}'"),
            f"{INTERFACE}.Item.Attributes": (
                "a{ss}",
                {"application": "Python keyring library", "service": service, "username": username},
            ),
        }
        _item, prompt = bus.call(
            SERVICE,
            COLLECTION,
            f"{INTERFACE}.Collection",
            "CreateItem",
            "a{sv}(oayays)b",
            properties,
            (session, b"", secret.encode(), "text/plain"),
            True,  # noqa: FBT003 - replaces
        )
    if prompt != NOTHING:
        raise BusError("the keyring asks instead of storing: it is locked")


def lookup(bus: Bus, service: str, username: str) -> str | None:
    """The secret of a user at a service, or None. Raises BusError when it is there but locked."""
    attributes = {"service": service, "username": username}
    unlocked, closed = bus.call(SERVICE, ROOT, f"{INTERFACE}.Service", "SearchItems", "a{ss}", attributes)
    if closed and not unlocked:
        raise BusError("the keyring is locked")
    if not unlocked:
        return None
    with _session(bus) as session:
        ((_session_path, _parameters, value, _type),) = bus.call(
            SERVICE, unlocked[0], f"{INTERFACE}.Item", "GetSecret", "o", session
        )
    return bytes(value).decode()


def entries(bus: Bus) -> list[dict[str, str]]:
    """The attributes of everything in the keyring."""
    paths = bus.get(SERVICE, COLLECTION, f"{INTERFACE}.Collection", "Items")
    return [bus.get(SERVICE, path, f"{INTERFACE}.Item", "Attributes") for path in paths]


def clear(bus: Bus) -> None:
    """Deletes everything in the keyring."""
    for path in bus.get(SERVICE, COLLECTION, f"{INTERFACE}.Collection", "Items"):
        bus.call(SERVICE, path, f"{INTERFACE}.Item", "Delete")
