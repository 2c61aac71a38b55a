from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.core.training import libraries

LIBRARY, OTHER, SHARED = "a_library_of_the_test", "another_library_of_the_test", "shared_by_the_test"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a model, in a place that has a library of two modules, another one and a package of ours."""
    for name in (LIBRARY, OTHER, SHARED):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / LIBRARY / "part.py").write_text("", encoding="utf-8")
    model = tmp_path / "models" / "churn"
    model.mkdir(parents=True)
    (model / "shared.txt").write_text(f"{SHARED}/__init__.py\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield model
    for name in [name for name in sys.modules if name.partition(".")[0] in (LIBRARY, OTHER, SHARED)]:
        del sys.modules[name]


def write(folder: Path, text: str) -> None:
    (folder / "training.py").write_text(text, encoding="utf-8")


def test_what_training_imports_at_its_top_is_there_and_nothing_of_it_has_run(folder: Path) -> None:
    write(
        folder,
        f"from {LIBRARY}.part import x\nimport {SHARED}\nfrom . import helper\nimport nowhere_at_all\n"
        f"raise RuntimeError('never run')\ndef fit(): import {OTHER}\n",
    )
    libraries.load(folder)
    assert f"{LIBRARY}.part" in sys.modules
    assert not {OTHER, SHARED, "models.churn.training"} & sys.modules.keys()


def test_what_the_experiment_before_has_imported_is_there_for_the_next_one(folder: Path) -> None:
    write(folder, "")
    known = frozenset(sys.modules)
    libraries.note([OTHER])
    libraries.load(folder)
    assert OTHER in sys.modules
    assert OTHER in libraries.imported(folder, known)
    assert OTHER not in libraries.imported(folder, frozenset(sys.modules))


@pytest.mark.parametrize("text", ["def fit(:", "\x00", None])
def test_a_training_that_is_no_python_is_left_for_the_experiment_to_tell(folder: Path, text: str | None) -> None:
    if text is not None:
        write(folder, text)
    libraries.load(folder)
