"""`sml lock`: it runs the program that writes locks, and ends as that does."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from sml.commands import lock
from tests.root import ROOT
from tests.sml.called import called


@pytest.mark.parametrize("code", [0, 1])
def test_the_models_are_locked_by_the_program_of_the_checkout(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[list[str], Any]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        calls.append((command, options["cwd"]))
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(lock.subprocess, "run", run)
    assert called("lock", "churn", "fruit").code == code
    assert calls == [([sys.executable, "-m", "infra.model_locking", "churn", "fruit"], ROOT)]


def test_without_a_name_all_models_are_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    done = subprocess.CompletedProcess[str]([], 0)
    monkeypatch.setattr(lock.subprocess, "run", lambda command, **_: calls.append(command) or done)
    assert called("lock").code == 0
    assert calls == [[sys.executable, "-m", "infra.model_locking"]]
