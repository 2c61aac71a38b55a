from __future__ import annotations

from pathlib import Path

import pytest

from functions.core.registry.runs import Outdated, check_recipe, code_digest, recipe, run_of
from models.bring_your_own import BringYourOwn
from models.contract import Contract
from models.section import LOCK, SHARED


@pytest.fixture
def models(tmp_path: Path) -> Path:
    files = {
        "models/mine/training.py": "",
        "models/mine/helper.py": "",
        "models/mine/table.csv": "a",
        "models/mine/notes.md": "",
        f"models/mine/{SHARED}": "features/money.py\n",
        "features/money.py": "",
        "features/other.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("file", "another"),
    [
        ("models/mine/training.py", True),
        ("models/mine/helper.py", True),
        ("models/mine/table.csv", True),
        ("features/money.py", True),
        ("features/other.py", False),
        ("models/mine/notes.md", False),
    ],
)
def test_another_content_of_what_training_is_made_of_is_another_run(file: str, another: bool, models: Path) -> None:
    before = code_digest("mine", models, ("table.csv",))
    (models.parent / file).write_text("changed", encoding="utf-8")
    assert (code_digest("mine", models, ("table.csv",)) != before) is another


def test_a_contract_that_declares_files_is_digested_by_their_content_alone() -> None:
    contract = Contract.load("breast_cancer")
    declared = contract.model_copy(update={"files": ("table.csv",)})
    assert declared.digest == contract.digest
    assert (contract.reads, declared.reads) == ((), ("table.csv",))


def trained(folder: Path) -> Contract:
    (folder / "breast_cancer").mkdir()
    return Contract.load("breast_cancer")


def test_another_lock_is_another_run(tmp_path: Path) -> None:
    contract = trained(tmp_path)
    runs = {run_of(contract, tmp_path, "dataset")}
    for digest in ("a" * 64, "b" * 64):
        (tmp_path / LOCK).write_text(digest, encoding="utf-8")
        runs.add(run_of(contract, tmp_path, "dataset"))
    assert len(runs) == 3
    record = recipe(contract, tmp_path)
    (tmp_path / LOCK).write_text("c" * 64, encoding="utf-8")
    with pytest.raises(Outdated, match="the lock of breast_cancer changed"):
        check_recipe(record, contract, tmp_path)


def test_a_run_of_an_older_release_names_no_lock_and_goes_on(tmp_path: Path) -> None:
    contract = trained(tmp_path)
    record = recipe(contract, tmp_path)
    (tmp_path / LOCK).write_text("a" * 64, encoding="utf-8")
    check_recipe(record, contract, tmp_path)


def test_the_lock_is_nothing_to_a_model_that_is_not_trained(tmp_path: Path) -> None:
    contract = BringYourOwn.load("file_type")
    before = run_of(contract, tmp_path, "file")
    (tmp_path / LOCK).write_text("a" * 64, encoding="utf-8")
    assert run_of(contract, tmp_path, "file") == before
