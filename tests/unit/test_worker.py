"""Work on a thread whose results come back to the GUI thread."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from tests import ROOT
from tests.threads import no_more_threads
from tray_app.desktop.worker import Worker

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


def test_a_job_without_a_thread_has_failed_and_the_next_one_gets_one(qtbot: QtBot) -> None:
    worker, returned = Worker("test"), list[object]()

    def then(result: object, error: Exception | None) -> None:
        returned.append(type(error) if error else result)

    with no_more_threads():
        worker.run(lambda: "never", then)
    assert returned == [], "nobody expects the answer before `run` returns"
    qtbot.waitUntil(lambda: returned == [RuntimeError])
    worker.run(lambda: "done", then)
    qtbot.waitUntil(lambda: returned == [RuntimeError, "done"])
    worker.finish(30)


@pytest.mark.usefixtures("qapp")
def test_a_thread_ends_with_its_owner_and_keeps_nothing_of_it(qtbot: QtBot) -> None:
    class Owner(QObject):
        def take(self, *_: object) -> None:
            taken.append(True)

    taken: list[bool] = []
    owner = Owner()
    Worker("of an owner", owner).run(lambda: None, owner.take)
    qtbot.waitUntil(lambda: bool(taken))
    gone = weakref.ref(owner)

    owner.deleteLater()
    del owner

    qtbot.waitUntil(lambda: all(one.name != "of an owner" for one in threading.enumerate()))
    gc.collect()
    assert gone() is None


def test_the_end_of_the_program_waits_for_what_is_being_done_and_no_longer(qtbot: QtBot) -> None:
    done: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def store() -> None:
        begun.set()
        may_end.wait(30)
        done.append("stored")

    worker = Worker("test")
    worker.run(store, lambda *_: None)
    assert begun.wait(30)
    worker.finish(0.01)
    assert done == []
    threading.Timer(0.05, may_end.set).start()
    worker.finish(30)
    assert done == ["stored"]
    Worker("idle").finish(30)
