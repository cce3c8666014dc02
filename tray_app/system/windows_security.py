"""Windows alone: files and folders for one user.

`os.open` and `os.mkdir` inherit the access rights of the folder above, and everybody who signs in may write to a new
folder on a drive; `os.mkdir(mode=0o700)` protects only from CPython 3.12.4 on.
"""

from __future__ import annotations

import os
import re
import sys

_TRUSTED = frozenset({"SY", "BA", "LA", "DA", "OW", "CO", "S-1-5-18", "S-1-5-32-544"})
"""Who may use everything anyway (the system, administrators), and the owner."""

_RIGHTS = {name: 1 << bit for bit, name in enumerate(["CC", "DC", "LC", "SW", "RP", "WP", "DT", "LO", "CR"])}
_RIGHTS |= {name: 1 << bit for bit, name in enumerate(["SD", "RC", "WD", "WO"], 16)}
_RIGHTS |= {name: 1 << bit for bit, name in enumerate(["GA", "GX", "GW", "GR"], 28)}
_RIGHTS |= {"FA": 0x1F01FF, "FR": 0x120089, "FW": 0x120116, "FX": 0x1200A0}
"""The access rights by the letters that SDDL has for them."""

_READS = _RIGHTS["GA"] | _RIGHTS["GR"] | 0x1
_WRITES = _RIGHTS["GA"] | _RIGHTS["GW"] | _RIGHTS["WD"] | _RIGHTS["WO"] | 0x2 | 0x4
_DELETES_IN_FOLDER = 0x40
_ENTRY = re.compile(r"\(([^;()]*);([^;()]*);([^;()]*);[^;()]*;[^;()]*;([^;()]*)")


def lets_others_in(access_list: str, user: str, *, is_folder: bool = False, may_read: bool = False) -> bool:
    """Return whether an access list, in SDDL, lets anybody but that user (a SID) and the system read or write a file
    or folder, or with `may_read` only write."""
    if not access_list.startswith("D:") or "NO_ACCESS_CONTROL" in access_list:
        return True
    asked = _WRITES | (_DELETES_IN_FOLDER if is_folder else 0) | (0 if may_read else _READS)
    return any(
        kind in {"A", "XA"} and "IO" not in flags and who not in _TRUSTED and who != user and _mask(rights) & asked
        for kind, flags, rights, who in _ENTRY.findall(access_list)
    )


def _mask(rights: str) -> int:
    if rights.startswith("0"):
        return int(rights, 0)
    mask = 0
    for at in range(0, len(rights), 2):
        mask |= _RIGHTS.get(rights[at : at + 2], _RIGHTS["GA"])
    return mask


if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    _GENERIC_READ_WRITE = 0xC0000000
    _SHARE_READ_WRITE = 0x3
    _CREATE_NEW = 1
    _ATTRIBUTE_NORMAL = 0x80
    _TOKEN_QUERY = 0x8
    _TOKEN_USER = 1
    _SDDL_REVISION = 1
    _DACL = 4

    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    _kernel.GetCurrentProcess.restype = wintypes.HANDLE
    _kernel.CreateFileW.restype = wintypes.HANDLE
    _kernel.CreateFileW.argtypes = [
        wintypes.LPCWSTR,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.LPVOID,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.HANDLE,
    ]
    _kernel.CreateDirectoryW.argtypes = [wintypes.LPCWSTR, wintypes.LPVOID]
    _kernel.CloseHandle.argtypes = [wintypes.HANDLE]
    _kernel.LocalFree.argtypes = [wintypes.LPVOID]
    _advapi.OpenProcessToken.argtypes = [wintypes.HANDLE, wintypes.DWORD, wintypes.LPVOID]
    _advapi.GetTokenInformation.argtypes = [
        wintypes.HANDLE,
        ctypes.c_int,
        wintypes.LPVOID,
        wintypes.DWORD,
        wintypes.LPVOID,
    ]
    _advapi.ConvertSidToStringSidW.argtypes = [wintypes.LPVOID, wintypes.LPVOID]
    _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = [
        wintypes.LPCWSTR,
        wintypes.DWORD,
        wintypes.LPVOID,
        wintypes.LPVOID,
    ]

    _advapi.GetFileSecurityW.argtypes = [
        wintypes.LPCWSTR,
        wintypes.DWORD,
        wintypes.LPVOID,
        wintypes.DWORD,
        wintypes.LPVOID,
    ]
    _advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW.argtypes = [
        wintypes.LPVOID,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.LPVOID,
        wintypes.LPVOID,
    ]

    class _SecurityAttributes(ctypes.Structure):
        _fields_ = (
            ("length", wintypes.DWORD),
            ("descriptor", wintypes.LPVOID),
            ("inherits_handle", wintypes.BOOL),
        )

    _descriptors: dict[str, ctypes.c_void_p] = {}
    """The security descriptors of a file and of a folder, created once."""

    def create_file_for_user(path: str) -> int:
        """Return a descriptor for reading and writing of a new file that only this user and the system may open.

        Raises `OSError`, also for whatever is there already.
        """
        handle = _kernel.CreateFileW(
            path,
            _GENERIC_READ_WRITE,
            _SHARE_READ_WRITE,
            ctypes.byref(_attributes("")),
            _CREATE_NEW,
            _ATTRIBUTE_NORMAL,
            None,
        )
        if handle == wintypes.HANDLE(-1).value:
            raise ctypes.WinError(ctypes.get_last_error())
        return msvcrt.open_osfhandle(handle, os.O_RDWR | os.O_BINARY | os.O_NOINHERIT)

    def make_folder_for_user(path: str) -> None:
        """Make a folder that only this user and the system may use, and so for whatever is created in it. Raises
        `OSError`."""
        if not _kernel.CreateDirectoryW(path, ctypes.byref(_attributes("OICI"))):
            raise ctypes.WinError(ctypes.get_last_error())

    def is_open_to_others(path: str, *, may_read: bool) -> bool:
        """Return whether the access list of a file or folder lets others in, see `lets_others_in`. Raises `OSError`."""
        size = wintypes.DWORD()
        _advapi.GetFileSecurityW(path, _DACL, None, 0, ctypes.byref(size))
        descriptor = ctypes.create_string_buffer(size.value)
        _check(_advapi.GetFileSecurityW(path, _DACL, descriptor, size, ctypes.byref(size)))
        text = wintypes.LPWSTR()
        _check(
            _advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
                descriptor, _SDDL_REVISION, _DACL, ctypes.byref(text), None
            )
        )
        try:
            return lets_others_in(str(text.value), user_sid(), is_folder=os.path.isdir(path), may_read=may_read)
        finally:
            _kernel.LocalFree(text)

    def _attributes(inheritance: str) -> _SecurityAttributes:
        if inheritance not in _descriptors:
            access = "".join(f"(A;{inheritance};FA;;;{sid})" for sid in (user_sid(), "SY"))
            descriptor = ctypes.c_void_p()
            _check(
                _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
                    f"D:P{access}", _SDDL_REVISION, ctypes.byref(descriptor), None
                )
            )
            _descriptors[inheritance] = descriptor
        return _SecurityAttributes(ctypes.sizeof(_SecurityAttributes), _descriptors[inheritance], 0)

    def user_sid() -> str:
        """Return who runs this program, such as `S-1-5-21-…`. Raises `OSError`."""
        token = wintypes.HANDLE()
        _check(_advapi.OpenProcessToken(_kernel.GetCurrentProcess(), _TOKEN_QUERY, ctypes.byref(token)))
        try:
            size = wintypes.DWORD()
            _advapi.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(size))
            user = ctypes.create_string_buffer(size.value)
            _check(_advapi.GetTokenInformation(token, _TOKEN_USER, user, size, ctypes.byref(size)))
        finally:
            _kernel.CloseHandle(token)
        text = wintypes.LPWSTR()
        _check(_advapi.ConvertSidToStringSidW(ctypes.c_void_p.from_buffer(user), ctypes.byref(text)))
        try:
            return str(text.value)
        finally:
            _kernel.LocalFree(text)

    def _check(success: int) -> None:
        if not success:
            raise ctypes.WinError(ctypes.get_last_error())

else:

    def create_file_for_user(path: str) -> int:
        raise NotImplementedError

    def make_folder_for_user(path: str) -> None:
        raise NotImplementedError

    def is_open_to_others(path: str, *, may_read: bool) -> bool:
        raise NotImplementedError
