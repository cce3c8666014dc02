"""Windows alone: files and folders for one user.

`os.open` and `os.mkdir` inherit the access rights of the folder above, and everybody who signs in may write to a new
folder on a drive; `os.mkdir(mode=0o700)` protects only from CPython 3.12.4 on.
"""

from __future__ import annotations

import os
import sys

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

    def _attributes(inheritance: str) -> _SecurityAttributes:
        if inheritance not in _descriptors:
            access = "".join(f"(A;{inheritance};FA;;;{sid})" for sid in (_user_sid(), "SY"))
            descriptor = ctypes.c_void_p()
            _check(
                _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
                    f"D:P{access}", _SDDL_REVISION, ctypes.byref(descriptor), None
                )
            )
            _descriptors[inheritance] = descriptor
        return _SecurityAttributes(ctypes.sizeof(_SecurityAttributes), _descriptors[inheritance], 0)

    def _user_sid() -> str:
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
