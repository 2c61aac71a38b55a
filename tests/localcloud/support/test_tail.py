from __future__ import annotations

from pathlib import Path

from localcloud.support.tail import Tail


def test_each_complete_line_is_returned_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = Tail(path)
    assert tail.lines() == []
    path.write_text("one\ntwo\nthr", encoding="utf-8")
    assert tail.lines() == ["one", "two"]
    with path.open("a", encoding="utf-8") as log:
        log.write("ee\n")
    assert tail.lines() == ["three"]
    assert tail.lines() == []
