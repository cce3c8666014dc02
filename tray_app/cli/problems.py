"""What is wrong, said beside the output."""

from __future__ import annotations

import sys

from tray_app.core.errors import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tray_app.core.errors import KiwoomTokenError


def tell_problems(problems: Iterable[KiwoomTokenError]) -> None:
    """Print each problem as one line on stderr."""
    for problem in problems:
        print(say(problem), file=sys.stderr)
