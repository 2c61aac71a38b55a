from __future__ import annotations

import os
import signal

import pytest

from localcloud.support import parent


def test_a_process_ends_when_its_parent_is_another_one() -> None:
    parents, did = iter([7, 7, 1]), list[tuple[object, ...]]()
    parent.follow(
        7,
        parent_now=lambda: next(parents),
        end=lambda *args: did.append(args),
        wait=lambda seconds: did.append((seconds,)),
        leave=lambda code: did.append(("left", code)),
    )
    look = (parent.LOOK_SECONDS,)
    assert did == [look, look, (os.getpid(), signal.SIGTERM), (parent.PATIENCE_SECONDS,), ("left", 1)]


@pytest.mark.parametrize(("environment", "started"), [({}, []), ({"MAKELEVEL": "1"}, [os.getppid()])])
def test_only_what_make_started_ends_with_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], started: list[int]
) -> None:
    followed = list[int]()
    monkeypatch.setattr(parent, "follow", followed.append)
    if thread := parent.end_with_make(environment):
        thread.join()
    assert followed == started
