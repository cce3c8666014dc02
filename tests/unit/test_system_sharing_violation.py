"""A file that another program has open for a moment."""

from __future__ import annotations

import pytest

from tray_app.system import sharing_violation as sharing


class Refused:
    """Refuses `times` times, as Windows does while another program has the file open."""

    def __init__(self, times: float) -> None:
        self.left = times

    def __call__(self) -> str:
        if self.left > 0:
            self.left -= 1
            raise PermissionError
        return "done"


def test_a_file_that_is_open_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "PATIENCE_SECONDS", 10.0)
    assert sharing.retry_sharing_violation(Refused(20)) == "done"


@pytest.mark.parametrize("patience", [0.0, 0.05])
def test_one_that_stays_refused_is_told(patience: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "PATIENCE_SECONDS", patience)
    with pytest.raises(PermissionError):
        sharing.retry_sharing_violation(Refused(float("inf")))
