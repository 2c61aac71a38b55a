"""The soak runs the loads on a stack of its own, prints what they saw, and fails unless they are convincing."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.commands import soak
from localcloud.commands.demo_run import DemoFailed
from localcloud.commands.progress import Progress


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a soak does, in order, on a stack that is not there. With "convincing" among them the loads are."""
    done: list[str] = []

    class Loads:
        def __init__(self, demo: Any, clients: int) -> None:
            done.append(f"{clients} clients")

        def run(self, seconds: int) -> None:
            done.append(f"{seconds} s")

        def report(self, progress: Progress) -> None:
            done.append("report")

        convincing = property(lambda _: "convincing" in done)

    def demo(*_: Any) -> SimpleNamespace:
        failed = lambda problem: DemoFailed(f"{problem}\n  the cloud's log: cloud.log")  # noqa: E731
        return SimpleNamespace(two_versions=lambda: done.append("two versions"), failed=failed)

    @contextmanager
    def stack(*_: Any, **__: Any) -> Any:
        yield None

    monkeypatch.setattr(soak, "LocalStack", stack)
    monkeypatch.setattr(soak, "Demo", demo)
    monkeypatch.setattr(soak, "Soak", Loads)
    monkeypatch.setattr(soak.demo_files, "live", lambda _: done.append("live"))
    return done


def test_both_models_are_live_before_the_load_and_the_report_comes_after(steps: list[str], tmp_path: Path) -> None:
    steps.append("convincing")
    assert soak.main(Progress(), "local", tmp_path, seconds=7, clients=3) == 0
    assert steps[1:] == ["two versions", "live", "3 clients", "7 s", "report"]


def test_what_is_not_convincing_fails_after_the_report_and_names_the_log(steps: list[str], tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match=r"the soak has failed: see above\n  the cloud's log: cloud.log"):
        soak.main(Progress(), "local", tmp_path, seconds=7, clients=3)
    assert steps[-1] == "report"
