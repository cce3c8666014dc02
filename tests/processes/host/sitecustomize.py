"""What a host program does that chooses its own keyring, for every Python that a test starts with `FILE_KEYRING`.

Set once `keyring` is loaded, so that a program that needs none still loads none.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType


THE_USUAL_ONE = "tests.processes.file_keyring.FileKeyring"


class SetsKeyring:
    """Finds `keyring` where it is, and sets the keyring of the test when it is loaded."""

    @classmethod
    def find_spec(cls, name: str, *_: object) -> ModuleSpec | None:
        if name != "keyring":
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_set(module: ModuleType) -> None:
            load(module)
            where, _, which = os.environ.get("FILE_KEYRING_CLASS", THE_USUAL_ONE).rpartition(".")
            module.set_keyring(getattr(import_module(where), which)())

        spec.loader.exec_module = load_and_set
        return spec


if "FILE_KEYRING" in os.environ:
    sys.meta_path.insert(0, SetsKeyring)
