"""Who an access list of Windows lets in, whatever system reads it."""

from __future__ import annotations

import pytest

from tray_app.system.windows_security import lets_others_in

USER = "S-1-5-21-1-2-3-1001"


@pytest.mark.parametrize(
    ("access", "file", "folder"),
    [
        (f"D:P(A;;FA;;;{USER})(A;;FA;;;SY)", False, False),
        (f"D:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;{USER})", False, False),
        (f"D:P(A;;FA;;;{USER})(A;;FR;;;BU)", True, False),
        (f"D:P(A;;FA;;;{USER})(A;OICI;0x1200a9;;;S-1-5-32-545)", True, False),
        (f"D:P(A;;FA;;;{USER})(A;;0x1301bf;;;AU)", True, True),
        (f"D:P(A;;FA;;;{USER})(A;;CCDCLCSWRPWPDTLOCRSDRC;;;AU)", True, True),
        (f"D:P(A;;FA;;;{USER})(A;;FW;;;WD)", True, True),
        (f"D:P(A;;FA;;;{USER})(A;;WO;;;WD)", True, True),
        (f"D:P(A;;FA;;;{USER})(A;;DT;;;WD)", False, True),
        (f"D:P(A;;FA;;;{USER})(A;;FA;;;S-1-5-21-1-2-3-1002)", True, True),
        (f"D:P(A;;FA;;;{USER})(XA;;FA;;;WD;(Member_of {{SID(BA)}}))", True, True),
        (f"D:P(A;;FA;;;{USER})(A;OICIIO;FA;;;WD)", False, False),
        (f"D:P(A;OICIIO;FA;;;CO)(A;;FA;;;{USER})", False, False),
        (f"D:P(D;;FA;;;WD)(A;;FA;;;{USER})", False, False),
        ("D:NO_ACCESS_CONTROL", True, True),
        ("", True, True),
    ],
)
def test_others_are_those_who_are_neither_the_user_nor_the_system(access: str, file: bool, folder: bool) -> None:
    found = [lets_others_in(access, USER, is_folder=one, may_read=one) for one in (False, True)]

    assert found == [file, folder]
