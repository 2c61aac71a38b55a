from __future__ import annotations

from pathlib import Path

import pytest

from functions.core.registry.runs import code_digest
from models.contract import Contract
from models.section import SHARED


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
