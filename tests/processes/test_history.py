"""Many programs that record at once: nothing is lost, nothing is told twice."""

from __future__ import annotations

from tray_app.stores.history import History


def test_each_of_many_processes_leaves_its_mark(start, together, tmp_path, monkeypatch):
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    workers = start(6)
    for n in range(3):
        for number, worker in enumerate(workers):
            worker.send("set_token", f"token-{number}-{n}-of-a-test", 3600 + 60 * n)
        for worker in workers:
            worker.answer()
    events = History(str(tmp_path / "data" / "history.db")).read("default")
    assert [str(one.kind) for one in events] == ["stored"] * 18
    assert len({one.token for one in events}) == 18


def test_many_that_ask_at_once_make_one_event(practice, start, together, tmp_path, monkeypatch):
    monkeypatch.setenv("KIWOOM_TRAY_STORE", "file")
    together(start(6), "ensure_token")
    events = History(str(tmp_path / "data" / "history.db")).read("default")
    assert [str(one.kind) for one in events] == ["issued"] * practice.counts()["issue"]
