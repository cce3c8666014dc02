"""Status icons and their menus, read over D-Bus as a panel reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .bus import Bus, BusError

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"


@dataclass(frozen=True, slots=True)
class StatusIcon:
    """A registered status icon as it was when it was read."""

    service: str
    path: str
    menu: str
    id: str
    title: str
    status: str
    """Active, Passive or NeedsAttention."""
    tooltip: str
    tooltip_text: str
    icon_name: str
    pixmaps: tuple[tuple[int, int, bytes], ...]
    """(width, height, ARGB in network byte order), as sent."""


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A line of a menu."""

    id: int
    label: str
    """Without the underscores that mark access keys."""
    enabled: bool
    visible: bool
    separator: bool
    toggle: str
    """checkmark, radio or empty."""
    checked: bool | None
    """None when it cannot be checked."""
    children: tuple["MenuEntry", ...]


def registered(bus: Bus) -> list[tuple[str, str]]:
    """(service, path) of every status icon that the panel knows; empty without a panel."""
    try:
        names = bus.get(WATCHER, "/StatusNotifierWatcher", WATCHER, "RegisteredStatusNotifierItems")
    except BusError:
        return []
    return [(service, "/" + path) for service, _slash, path in (name.partition("/") for name in names)]


def read_icon(bus: Bus, service: str, path: str) -> StatusIcon:
    """Reads one status icon."""
    values = bus.get_all(service, path, ITEM)
    _name, _pixmaps, tooltip, tooltip_text = values.get("ToolTip") or ("", [], "", "")
    return StatusIcon(
        service=service,
        path=path,
        menu=values.get("Menu", ""),
        id=values.get("Id", ""),
        title=values.get("Title", ""),
        status=values.get("Status", ""),
        tooltip=tooltip,
        tooltip_text=tooltip_text,
        icon_name=values.get("IconName", ""),
        pixmaps=tuple((width, height, bytes(data)) for width, height, data in values.get("IconPixmap") or ()),
    )


def read_menu(bus: Bus, icon: StatusIcon) -> list[MenuEntry]:
    """Opens the icon's menu as a panel does and reads all of it."""
    bus.call(icon.service, icon.menu, MENU, "AboutToShow", "i", 0)
    _revision, (_id, _properties, children) = bus.call(icon.service, icon.menu, MENU, "GetLayout", "iias", 0, -1, [])
    return [_entry(child) for _signature, child in children]


def click_entry(bus: Bus, icon: StatusIcon, ident: int) -> None:
    """Clicks a menu line."""
    bus.call(icon.service, icon.menu, MENU, "Event", "isvu", ident, "clicked", ("s", ""), 0)


def find_entry(entries: list[MenuEntry], *wanted: str | int) -> MenuEntry:
    """The visible entry with this id, or this label, or these labels one below the other.

    Raises LookupError when there is none, or more than one.
    """
    if wanted and isinstance(wanted[0], int):
        found = [entry for entry in walk(entries) if entry.id == wanted[0]]
    else:
        found = [entry for entry in walk(entries) if entry.label == wanted[0] and entry.visible]
        for label in wanted[1:]:
            found = [child for entry in found for child in entry.children if child.label == label and child.visible]
    if len(found) != 1:
        labels = [entry.label for entry in walk(entries) if entry.visible and not entry.separator]
        raise LookupError(f"{len(found)} menu entries are {' / '.join(map(str, wanted))!r}; there are {labels}")
    return found[0]


def walk(entries: list[MenuEntry] | tuple[MenuEntry, ...]) -> Iterator[MenuEntry]:
    """Every entry, sub-menus included."""
    for entry in entries:
        yield entry
        yield from walk(entry.children)


def _entry(node: tuple[int, dict[str, tuple[str, Any]], list[Any]]) -> MenuEntry:
    ident, variants, children = node
    properties = {name: value for name, (_signature, value) in variants.items()}
    toggle = properties.get("toggle-type", "")
    return MenuEntry(
        id=ident,
        label=properties.get("label", "").replace("__", "\0").replace("_", "").replace("\0", "_"),
        enabled=properties.get("enabled", True),
        visible=properties.get("visible", True),
        separator=properties.get("type") == "separator",
        toggle=toggle,
        checked=properties.get("toggle-state") == 1 if toggle else None,
        children=tuple(_entry(child) for _signature, child in children),
    )
