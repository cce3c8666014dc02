"""Work on a thread whose results come back to the GUI thread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

OWNERS_THAT_GO = """
import os, sys
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from tray_app.desktop.worker import Worker

app = QCoreApplication([])
sys.setswitchinterval(1e-5)
for turn in range(400):
    owner = QObject()
    workers = [Worker("job", owner) for _ in range(3)]
    for worker in workers:
        for _ in range(5):
            worker.run(lambda: 1, lambda *_: None)
        worker.end()
    if turn % 2:
        app.processEvents()
    if turn % 3:
        shiboken6.delete(owner)
    else:
        owner.deleteLater()
    del owner, workers, worker
    if turn % 5 == 0:
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        app.processEvents()
print("whole", flush=True)
os._exit(0)
"""


def test_a_result_that_arrives_while_its_owner_is_deleted_crashes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OWNERS_THAT_GO],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout.strip()) == (0, "whole")
