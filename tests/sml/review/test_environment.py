"""Which interpreter runs a commit's program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sml.mistake import Mistake
from sml.review.environment import python_for

pytestmark = pytest.mark.integration
PROGRAM = "pulumi==3.272.0 \\\n    --hash=sha256:00\n"
OTHERS = "zizmor==1.32.0 \\\n    --hash=sha256:11\n"


def checkout(root: Path, lock: str, named: str = PROGRAM) -> Path:
    """A project whose program runs with the packages that are named, in the versions of a lock."""
    for path, text in (("requirements/dev.txt", lock), ("infra/requirements.txt", named)):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def test_packages_that_no_preview_runs_with_make_no_difference(tmp_path: Path) -> None:
    here, there = checkout(tmp_path / "here", PROGRAM + OTHERS), checkout(tmp_path / "there", PROGRAM)
    said: list[str] = []
    assert python_for(there, here, tmp_path / "cache", said.append) == Path(sys.executable)
    assert (said, (tmp_path / "cache").exists()) == ([], False)


def test_other_packages_are_installed_once_in_an_environment_of_their_own(tmp_path: Path) -> None:
    here, there = checkout(tmp_path / "here", PROGRAM), checkout(tmp_path / "there", "")
    said: list[str] = []
    first = python_for(there, here, tmp_path / "cache", said.append)
    again = python_for(there, here, tmp_path / "cache", said.append)
    assert first == again != Path(sys.executable)
    assert said == ["its packages differ: installing those of its requirements/dev.txt, once"]
    where = subprocess.run([first, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert Path(where.stdout.strip()).parent == tmp_path / "cache"


def test_packages_that_cannot_be_installed_are_one_sentence_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    lock = "no-such-package-of-this-project==1 \\\n    --hash=sha256:" + "0" * 64 + "\n"
    here, there = checkout(tmp_path / "here", PROGRAM), checkout(tmp_path / "there", lock)
    for _ in range(2):
        with pytest.raises(Mistake, match=r"its packages cannot be installed: .*no-such-package"):
            python_for(there, here, tmp_path / "cache", lambda line: None)


def test_a_commit_without_a_lock_says_so(tmp_path: Path) -> None:
    here = checkout(tmp_path / "here", PROGRAM)
    (tmp_path / "there").mkdir()
    with pytest.raises(Mistake, match=r"it has no requirements/dev\.txt, so its packages are not known"):
        python_for(tmp_path / "there", here, tmp_path / "cache", lambda line: None)
