"""Change the program in one place at a time and see whether the tests notice: `python -m tests.endurance.mutants`.

Only for modules that decide much in few lines. A mutant that survives is a decision that no test holds, or a change
that makes no difference; which of them is for a person to say. Each runs in a child of this process (POSIX).
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT = "tests/unit/"
TESTS = {
    "tray_app.core.renewal_schedule": ["test_renewal_schedule.py", "test_renewal_schedule_notices.py"],
    "tray_app.core.token_schedule": [
        "test_renewal_schedule.py",
        "test_renewal_schedule_notices.py",
        "test_supervisor.py",
    ],
    "tray_app.core.verification_schedule": ["test_verification_schedule.py", "test_supervisor.py"],
    "tray_app.service.renewal": ["test_renewal.py", "test_token_service.py", "test_dead_tokens.py", "test_rotation.py"],
}
_PATIENCE_SECONDS = 90
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_NAMES = {"min": "max", "max": "min"}


class Change(ast.NodeTransformer):
    """Change the `at`-th place that can be changed; `what` says what was done, and is empty when there is no such."""

    def __init__(self, at: int) -> None:
        self._left = at
        self.what = ""

    def visit(self, node: ast.AST) -> ast.AST:
        for text, changed in _changes(node):
            if self._left == 0 and not self.what:
                self.what = f"line {getattr(node, 'lineno', 0)}: {text}"
                return changed
            self._left -= 1
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return node  # a docstring
        return self.generic_visit(node)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield what can be done to that node alone."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        changed = copy.deepcopy(node)
        changed.ops[0] = _COMPARISONS[type(node.ops[0])]()
        yield f"{ast.unparse(node)} -> {ast.unparse(changed)}", changed
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield f"{ast.unparse(node)}: and <-> or", ast.BoolOp(other, node.values)
        for at in range(len(node.values)):
            rest = [one for number, one in enumerate(node.values) if number != at]
            changed_bool = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            yield f"{ast.unparse(node)}: without {ast.unparse(node.values[at])}", changed_bool
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{ast.unparse(node)}: without not", node.operand
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        opposite = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield f"{ast.unparse(node)}: + <-> -", ast.BinOp(node.left, opposite, node.right)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} -> {not node.value}", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield f"{node.value} -> {node.value + 1}", ast.Constant(node.value + 1)
    elif isinstance(node, ast.Name) and node.id in _NAMES:
        yield f"{node.id} -> {_NAMES[node.id]}", ast.Name(_NAMES[node.id], node.ctx)
    elif _is_effect(node):
        yield f"without {ast.unparse(node)}", ast.Pass()
    elif isinstance(node, ast.Return) and node.value is not None:
        yield f"{ast.unparse(node)} -> return None", ast.Return(ast.Constant(None))


def _is_effect(node: ast.AST) -> bool:
    """Whether the statement is there for what it changes: the state of an object, or what a call does."""
    if isinstance(node, ast.Assign | ast.AugAssign):
        return "self." in ast.unparse(node)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Load one module from a changed tree."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(self, name: str, _: object, __: object = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(self._path), "exec"), module.__dict__)  # noqa: S102 - our own source


def mutants(path: Path) -> Iterator[tuple[str, ast.Module]]:
    """Yield each change and the module's tree with it."""
    source = path.read_text("utf-8")
    for at in range(100_000):
        change = Change(at)
        tree = change.visit(ast.parse(source))
        if not change.what:
            return
        assert isinstance(tree, ast.Module)
        yield change.what, ast.fix_missing_locations(tree)


def survives(name: str, path: Path, tree: ast.Module, tests: str) -> bool:
    """Return whether all tests of a file pass with that tree. One that never ends is noticed."""
    number = os.fork()
    if number:
        return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0
    signal.alarm(_PATIENCE_SECONDS)
    with contextlib.suppress(BaseException), open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        sys.meta_path.insert(0, Mutated(name, path, tree))
        words = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", tests]
        os._exit(int(pytest.main(words)))
    os._exit(1)


def main() -> int:
    parser = argparse.ArgumentParser(description="Change the program and see whether the tests notice.")
    parser.add_argument("modules", nargs="*", default=list(TESTS))
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    end = time.monotonic() + options.minutes * 60
    import tests.conftest  # noqa: F401 - which takes a while, so once for all children

    for name in options.modules:
        path = ROOT / (name.replace(".", "/") + ".py")
        wanted = [UNIT + one for one in TESTS[name]]
        tried = survived = 0
        for what, tree in mutants(path):
            if time.monotonic() > end:
                break
            tried += 1
            if all(survives(name, path, tree, one) for one in wanted):
                survived += 1
                print(f"  {name} {what}", flush=True)
        print(f"{name}: {tried} mutants, {survived} survived", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
