from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from infra.bundle import modules
from infra.function_table import FUNCTIONS, named
from infra.sources import ROOT, closure, sources


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "functions/__init__.py": "",
        "functions/entry.py": "import json\nfrom functions.near import thing\n",
        "functions/near.py": "def thing():\n    from functions import lazy\n    return lazy\n",
        "functions/lazy.py": "",
        "functions/apart.py": "",
        "functions/typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from functions import apart\n",
        "models/__init__.py": "",
        "models/contract.py": "",
        "models/mine/model.yaml": "",
        "models/mine/training.py": "from models.mine import helper\n",
        "models/mine/helper.py": "",
        "models/other/model.yaml": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def names(files: set[Path] | list[Path], root: Path) -> set[str]:
    return {file.relative_to(root).as_posix() for file in files}


def test_what_an_entry_imports_comes_along_also_from_inside_a_function(tree: Path) -> None:
    carried = names(closure(["functions.entry"], tree), tree)
    assert carried == {"functions/__init__.py", "functions/entry.py", "functions/near.py", "functions/lazy.py"}


def test_what_only_a_type_checker_reads_stays_behind(tree: Path) -> None:
    assert "functions/apart.py" not in names(closure(["functions.typed"], tree), tree)


@pytest.mark.parametrize(
    "text",
    [
        "from .apart import thing",
        "from . import apart",
        "from importlib import import_module as load\nload('functions.apart')",
        "import importlib\nimportlib.import_module('.apart', __package__)",
        "import importlib\nimportlib.import_module(package='functions', name='.apart')",
        "__import__('functions.apart')",
        "import runpy\nrunpy.run_module('functions.apart')",
        "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    from functions import apart",
        "import typing as t\nif not t.TYPE_CHECKING:\n    from functions import apart",
        "if TYPE_CHECKING:\n    x = 1\nelse:\n    from functions import apart",
        "if TYPE_CHECKING:\n    x = 1\nelif y:\n    from functions import apart",
        "if TYPE_CHECKING or y:\n    from functions import apart",
        "if y:\n    x = 1\nelse:\n    from functions import apart",
    ],
)
def test_what_an_entry_imports_comes_along_however_it_is_written(tree: Path, text: str) -> None:
    (tree / "functions" / "entry.py").write_text(text, encoding="utf-8")
    assert "functions/apart.py" in names(closure(["functions.entry"], tree), tree)


@pytest.mark.parametrize(
    "text",
    [
        "if not TYPE_CHECKING:\n    x = 1\nelse:\n    from functions import apart",
        "if TYPE_CHECKING and y:\n    from functions import apart",
        "from importlib import import_module\nimport_module(name)",
        "x.import_module('functions.apart')",
    ],
)
def test_what_an_entry_never_imports_stays_behind_however_it_is_written(tree: Path, text: str) -> None:
    (tree / "functions" / "entry.py").write_text(text, encoding="utf-8")
    assert "functions/apart.py" not in names(closure(["functions.entry"], tree), tree)


def test_a_package_imports_from_itself(tree: Path) -> None:
    (tree / "functions" / "__init__.py").write_text("from . import near", encoding="utf-8")
    assert {"functions/near.py", "functions/lazy.py"} <= names(closure(["functions.entry"], tree), tree)


def test_a_function_that_reads_contracts_gets_the_folders_of_the_stacks_models_and_no_others(tree: Path) -> None:
    (tree / "functions" / "entry.py").write_text("import models.contract\n", encoding="utf-8")
    carried = names(sources(["functions.entry"], ["mine"], tree), tree)
    assert {"models/mine/model.yaml", "models/mine/training.py", "models/mine/helper.py"} <= carried
    assert "models/other/model.yaml" not in carried


def test_a_function_that_reads_no_contract_gets_no_model(tree: Path) -> None:
    assert not any("models/mine" in name for name in names(sources(["functions.entry"], ["mine"], tree), tree))


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_predict_function_carries_neither_contracts_nor_training(cloud: str) -> None:
    carried = names(sources(modules(named("predict"), cloud), ["breast_cancer"]), ROOT)
    assert "functions/core/serving/predictor.py" in carried
    assert not {"models/contract.py", "functions/core/training/train.py", "models/breast_cancer/training.py"} & carried


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_no_sample_data_is_carried_by_any_function(cloud: str) -> None:
    entries = [modules(spec, cloud) for spec in FUNCTIONS]
    carried = {name for entry in entries for name in names(sources(entry, ["breast_cancer"]), ROOT)}
    assert "models/breast_cancer/model.yaml" in carried
    assert not {name for name in carried if name.endswith("sample.py")}


def test_a_finished_model_is_carried_by_no_function_only_what_it_declares() -> None:
    files = names(sources(modules(named("select"), "aws"), ["file_type"]), ROOT)
    carried = {name.removeprefix("models/file_type/") for name in files if name.startswith("models/file_type")}
    assert carried == {"model.yaml", "golden.json"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\ndef fit(:\n", "functions/half.py:2: invalid syntax"),
        ("x = 1\n\nreturn x\n", "functions/half.py:3: 'return' outside function"),
        ("x = (\n", "functions/half.py:1: '(' was never closed"),
        ("x = 1\0\n", "functions/half.py:1: source code string cannot contain null bytes"),
    ],
)
def test_a_file_that_is_no_python_is_named_with_its_line(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "half.py").write_text(text, encoding="utf-8")
    (tmp_path / "functions" / "whole.py").write_text("import functions.half\n", encoding="utf-8")
    with pytest.raises(pulumi.RunError) as refused:
        sources(["functions.whole"], [], root=tmp_path)
    assert str(refused.value).endswith(expected)
    assert "\n" not in str(refused.value)
