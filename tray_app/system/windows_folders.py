"""Windows alone: the user's folders as Windows itself knows them, whatever the environment says."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _LOCAL_APP_DATA = b"\x85\x27\xb3\xf1\xba\x6f\xcf\x4f\x9d\x55\x7b\x8e\x7f\x15\x70\x91"
    """FOLDERID_LocalAppData, {F1B32785-6FBA-4FCF-9D55-7B8E7F157091}, byte by byte."""

    _shell = ctypes.WinDLL("shell32")
    _shell.SHGetKnownFolderPath.argtypes = [
        ctypes.c_char_p,
        wintypes.DWORD,
        wintypes.HANDLE,
        ctypes.POINTER(ctypes.c_void_p),
    ]
    _ole = ctypes.WinDLL("ole32")
    _ole.CoTaskMemFree.argtypes = [ctypes.c_void_p]

    def local_app_data() -> str:
        """Return the user's folder of programs' local data. Raises `OSError`."""
        found = ctypes.c_void_p()
        status = _shell.SHGetKnownFolderPath(_LOCAL_APP_DATA, 0, None, ctypes.byref(found))
        try:
            if status or not found.value:
                raise OSError(f"SHGetKnownFolderPath: {status & 0xFFFFFFFF:#x}")
            return ctypes.wstring_at(found.value)
        finally:
            _ole.CoTaskMemFree(found)
