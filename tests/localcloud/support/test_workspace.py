"""The private folders of embedded clouds: those of processes that have ended are cleared away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.support.workspace import take


@pytest.mark.integration
def test_the_folders_of_processes_that_have_ended_are_removed_and_no_others(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    folders = [tmp_path / "run" / name for name in (f"{ended.pid}-a", f"{10**30}-b", f"{os.getppid()}-c", "notes")]
    for folder in folders:
        folder.mkdir(parents=True)
    mine = take(tmp_path)
    assert mine.name.startswith(f"{os.getpid()}-")
    assert [folder.exists() for folder in folders] == [False, False, True, True]
