"""Leave out of Qt's ICU what a Korean and English program does not use: python icu.py LIBICUDATA

30 of its 32 MB are other countries' data.

Qt on Linux links ICU for sorting, changing case and converting encodings. The library with its data is a single block:
a header, a table of names and offsets, and the items. It is written anew with the items that are kept.
"""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

KEPT = re.compile(
    r"[^/]*/("
    r"(root|en|en_US|ko|ko_KR|res_index|pool|supplementalData|likelySubtags|numberingSystems|plurals|timezoneTypes|zoneinfo64|icustd|icuver|keyTypeData)\.res"
    r"|coll/((root|en|ko|res_index|pool)\.res|ucadata\.icu)"
    r"|(cnvalias|uemoji|ulayout|nfkc|nfkc_cf)\.(icu|nrm)"
    r"|(ibm-949_P11A-1999|windows-949-2000|euckr|ibm-1252_P100-2000)\.cnv"
    r")"
)
_ALIGNMENT = 16


def trim_icu(library: Path) -> None:
    """Replace `libicudata.so.N` by one with the kept items. Needs `ld` and `objcopy`, as PyInstaller does."""
    symbol = f"icudt{library.name.rpartition('.')[2]}_dat"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run("objcopy", "-O", "binary", "--only-section=.rodata", library, folder / "all")
        (folder / "kept").write_bytes(kept_items((folder / "all").read_bytes()))
        _run("ld", "-r", "--format=binary", "-o", "object", "kept", folder=folder)
        named = ["--redefine-sym", f"_binary_kept_start={symbol}", "--set-section-alignment", f".data={_ALIGNMENT}"]
        _run("objcopy", *named, "object", folder=folder)
        readonly = ".data=.rodata,alloc,load,readonly,data,contents"
        _run("objcopy", "--rename-section", readonly, "object", folder=folder)
        _run("ld", "-shared", "-z", "noexecstack", "-soname", library.name, "-o", "library", "object", folder=folder)
        library.write_bytes((folder / "library").read_bytes())


def kept_items(block: bytes) -> bytes:
    """Return the block of ICU's data with the kept items alone."""
    (start,) = struct.unpack_from("<H", block)  # the size of the header
    (count,) = struct.unpack_from("<I", block, start)
    table = [struct.unpack_from("<II", block, start + 4 + 8 * number) for number in range(count)]
    ends = [offset for _, offset in table[1:]] + [len(block) - start]
    items = []
    for (name_at, data_at), end in zip(table, ends, strict=True):
        name = block[start + name_at : block.index(b"\0", start + name_at)]
        if KEPT.fullmatch(name.decode("ascii")):
            items.append((name + b"\0", block[start + data_at : start + end]))
    names_at = 4 + 8 * len(items)
    data_at = _aligned(names_at + sum(len(name) for name, _ in items))
    head, names, data = struct.pack("<I", len(items)), b"", b""
    for name, item in items:
        head += struct.pack("<II", names_at + len(names), data_at + len(data))
        names += name
        data += item.ljust(_aligned(len(item)), b"\0")
    return block[:start] + (head + names).ljust(data_at, b"\0") + data


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _run(*command: object, folder: Path | None = None) -> None:
    subprocess.run([str(one) for one in command], cwd=folder, check=True)


if __name__ == "__main__":
    trim_icu(Path(sys.argv[1]))
