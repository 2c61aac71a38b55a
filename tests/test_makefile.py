"""`make` with an environment that is already there: with programs that write down how they are called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.root import ROOT

pytestmark = pytest.mark.integration

NOTE = '#!/bin/sh\necho "$(basename "$0") $*" >> "$CALLS"\n'
PYTHON = NOTE + f'case "$1" in -c) exec {sys.executable} "$@";; esac\n'
OLD = NOTE + 'case "$1" in -c) exit 1;; esac\n'
MAKES_ENVIRONMENTS = (
    PYTHON + 'case "$2" in venv) mkdir -p .venv/bin; cp "$0" .venv/bin/python; '
    'echo "$NEW_UV" > .venv/bin/uv; chmod +x .venv/bin/uv;; esac\n'
)


class Folder:
    """A folder with the Makefile, whose `.venv` holds the programs that are given."""

    def __init__(self, root: Path, **programs: str) -> None:
        self.root, self.calls = root, root / "calls"
        shutil.copy(ROOT / "Makefile", root)
        (root / "infra").mkdir()
        (root / "sml").mkdir()
        shutil.copy(ROOT / "sml" / "launcher.sh", root / "sml")
        (root / "requirements").mkdir()
        for name in ("dev.txt", "uv.txt"):
            (root / "requirements" / name).touch()
        self.write(root / "python", MAKES_ENVIRONMENTS)
        for name, text in programs.items():
            self.write(root / ".venv" / "bin" / name, text)

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def make(self, goal: str = ".venv/.installed", *there: str) -> subprocess.CompletedProcess[str]:
        """Make a goal, for which some files are taken to be up to date."""
        kept = [option for file in there for option in ("-o", file)]
        return subprocess.run(
            ["make", goal, *kept, f"PYTHON={self.root / 'python'}"],  # noqa: S607
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "CALLS": str(self.calls), "NEW_UV": NOTE},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def done(self) -> list[str]:
        """What the programs were asked to do, without questions about them."""
        calls = self.calls.read_text(encoding="utf-8").splitlines()
        return [call for call in calls if not call.startswith("python -c") and "--version" not in call]


INSTALLED = (
    ".venv/.installed",
    *(f".local/{name}/.installed" for name in ("emulator-aws", "emulator-gcp", "workflows-emulator", "samples")),
)
"""What `make test` installs before."""
TESTED = "python -m pytest -n 4 --dist loadscope --durations=20 --durations-min=1 --ignore tests/engine"
SYNC = "uv pip sync --quiet --python .venv/bin/python --require-hashes requirements/dev.txt"
PIP = "python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/uv.txt"


def test_an_environment_that_pulumi_install_made_is_completed_and_not_made_anew(tmp_path: Path) -> None:
    folder = Folder(tmp_path, python=PYTHON, uv=NOTE)
    assert folder.make().returncode == 0
    assert folder.done == [SYNC]
    assert (tmp_path / ".venv" / ".installed").exists()
    assert os.access(tmp_path / ".venv" / "bin" / "sml", os.X_OK)


def test_one_whose_installation_broke_off_gets_what_is_missing(tmp_path: Path) -> None:
    folder = Folder(tmp_path, python=PYTHON + f'case "$3" in install) cp {tmp_path}/uv .venv/bin/uv;; esac\n')
    folder.write(tmp_path / "uv", NOTE)
    assert folder.make().returncode == 0
    assert folder.done == [PIP, SYNC]


def test_without_one_it_is_made(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.make().returncode == 0
    assert folder.done == ["python -m venv .venv", SYNC]


def test_one_of_a_python_that_is_too_old_is_refused_by_its_name(tmp_path: Path) -> None:
    refused = Folder(tmp_path, python=OLD, uv=NOTE).make()
    assert refused.returncode != 0
    assert ".venv/bin/python: Python 3.11 or newer is needed" in refused.stdout


@pytest.mark.parametrize(("base", "compared"), [("", 0), ("BASE=main", 1)])
def test_a_preview_ends_with_what_differs_from_the_base_that_is_named(tmp_path: Path, base: str, compared: int) -> None:
    folder = Folder(tmp_path, python=PYTHON, uv=NOTE, sml=NOTE)
    (tmp_path / ".venv" / ".installed").touch()
    asked = ["make", "preview", "STACK=prod", *([base] if base else [])]
    subprocess.run(asked, cwd=tmp_path, env={"PATH": os.environ["PATH"], "CALLS": str(folder.calls)}, check=True)
    previewed, *rest = folder.done
    assert previewed == "python -m localcloud preview --stack prod"
    assert rest == ["sml review main --stack prod --text"] * compared


@pytest.mark.parametrize(("builds", "passes"), [(True, True), (False, True), (True, False)])
def test_a_cli_that_cannot_be_built_fails_the_tests_as_a_test_does_and_is_told(
    tmp_path: Path, builds: bool, passes: bool
) -> None:
    build = "true" if builds else "{ echo 'no space left'; exit 1; }"
    python = NOTE + f'case "$2" in localcloud.*) {build};; pytest) {str(passes).lower()};; esac\n'
    folder = Folder(tmp_path, python=python, ruff=NOTE, ty=NOTE)
    made = folder.make("test", *INSTALLED)
    assert (made.returncode == 0) is (builds and passes)
    assert ("no space left" in made.stdout) is not builds
    assert TESTED in folder.done
    assert any(" tests/engine --ignore " in call for call in folder.done) is (builds and passes)


def test_what_is_installed_is_no_file_of_the_project_be_it_a_folder_or_a_link_to_one() -> None:
    """With a slash at its end a line of .gitignore means a folder alone: a link would be committed."""
    assert {".venv", ".local"} <= set((ROOT / ".gitignore").read_text(encoding="utf-8").splitlines())
