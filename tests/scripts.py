"""Scripts of the checkout that belong to no package, as modules for a test."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from tests import ROOT


def load_script(path: str) -> ModuleType:
    """Return the script at `path`, below the checkout, as a new module: a test may change its constants."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
