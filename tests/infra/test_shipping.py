"""What a function needs and its archive would lack is refused before anything is built, with file and line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pulumi
import pytest

from infra import chosen_models
from infra.archive import Packing
from infra.function_spec import FunctionSpec
from infra.function_table import FUNCTIONS
from infra.locked_modules import found, modules
from infra.settings import Settings
from infra.shipping import TRAINS, require, require_training
from infra.sources import ROOT, closure, shared, sources
from models.contract import Contract
from models.weights import Weights

PACKING = Packing(built=False, provides=("of_the_runtime",))
LOCK = "numpy==2 --hash=sha256:0\n# modules: arro3.core google.protobuf numpy onnxruntime sklearn\n"
YAML = "name: mine\ntask: classification\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "functions/__init__.py": "",
        "functions/entry.py": "import json\nimport models.contract\nfrom functions.core.training import experiment\n",
        "functions/core/__init__.py": "",
        "functions/core/training/__init__.py": "",
        TRAINS: "import numpy\n",
        "functions/requirements/train.txt": LOCK,
        "functions/requirements/gcp/train.txt": LOCK,
        "models/__init__.py": "",
        "models/contract.py": "",
        "models/mine/model.yaml": YAML,
        "models/mine/training.py": "import sklearn\n",
        "models/mine/helper.py": "SCALE = 2\n",
        "models/mine/nested/__init__.py": "",
        "models/mine/nested/deep.py": "thing = 1\n",
        "models/mine/open.py": "globals().update(x=1)\n",
        "models/mine/every.py": "from numpy import *\n",
        "models/mine/lazy.py": "def __getattr__(name): ...\n",
        "models/common/scale.py": "x = 1\n",
        "features/__init__.py": "from features import money\nif money:\n    whatever_it_defines = 1\n",
        "features/money.py": "x = 1\n",
        "bare/inner/part.py": "x = 1\n",
        "single.py": "x = 1\n",
        "infra/settings.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def check(root: Path, text: str | None = None, *, packing: Packing = PACKING, python: str = "3.13") -> None:
    if text is not None:
        (root / "models" / "mine" / "training.py").write_text(text, encoding="utf-8")
    cloud = "gcp/" if packing.built else ""
    lock = root / "functions" / "requirements" / f"{cloud}train.txt"
    require(["functions.entry"], ["mine"], packing=packing, locks=[lock], python=python, root=root)


def refused(root: Path, text: str, **options: object) -> str:
    with pytest.raises(pulumi.RunError) as problem:
        check(root, text, **options)  # ty: ignore[invalid-argument-type]
    assert "\n" not in str(problem.value)
    return str(problem.value)


def carried(root: Path, text: str) -> set[str]:
    check(root, text)
    return {file.relative_to(root).as_posix() for file in sources(["functions.entry"], ["mine"], root)}


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("from . import helper", "models/mine/helper.py"),
        ("from .helper import SCALE", "models/mine/helper.py"),
        ("from .helper import *", "models/mine/helper.py"),
        ("import models.mine.helper as h", "models/mine/helper.py"),
        ("def fit(X, y, params):\n    from . import helper", "models/mine/helper.py"),
        ("try:\n    from . import helper\nexcept ImportError:\n    helper = None", "models/mine/helper.py"),
        ("import sys\nif sys.platform == 'linux':\n    from . import helper", "models/mine/helper.py"),
        ("from .nested import deep", "models/mine/nested/deep.py"),
        ("from .nested.deep import thing", "models/mine/nested/deep.py"),
        ("from importlib import import_module\nimport_module('features.money')", "features/money.py"),
        ("import features", "features/money.py"),
        ("from features.money import x", "features/money.py"),
        ("from models.common import scale", "models/common/scale.py"),
        ("from bare.inner import part", "bare/inner/part.py"),
        ("import bare.inner.part", "bare/inner/part.py"),
        ("import single", "single.py"),
    ],
)
def test_what_a_training_imports_of_the_project_is_carried(text: str, file: str, tree: Path) -> None:
    assert file in carried(tree, text)


def test_a_nested_package_imports_from_above_itself(tree: Path) -> None:
    (tree / "models/mine/nested/deep.py").write_text("from ..helper import SCALE\nfrom ... import common\n")
    assert "models/mine/helper.py" in carried(tree, "from .nested import deep")


@pytest.mark.parametrize(
    "text",
    [
        "import numpy.linalg",
        "from sklearn.svm import SVC",
        "import google.protobuf.message",
        "from google import protobuf",
        "from arro3 import core",
        "import of_the_runtime",
        "import tomllib, zoneinfo._common, winreg",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas",
        "try:\n    import pandas\nexcept ImportError:\n    pandas = None",
        "try:\n    import pandas\nexcept (ValueError, ModuleNotFoundError):\n    pandas = None",
        "try:\n    import pandas\nexcept:\n    pass",
        "try:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import pandas",
        "import sys\nif sys.platform == 'win32':\n    import pywintypes",
        "import os\nif os.name == 'nt':\n    import pywintypes",
        "import sys\nif sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    import tomli",
        "from importlib import import_module\nname = 'x'\nimport_module(name)",
        "import features\nfrom features import whatever_it_defines, __path__",
        "from .open import x",
        "from .every import zeros",
        "from .lazy import x",
    ],
)
def test_what_can_be_imported_or_is_not_needed_is_accepted(text: str, tree: Path) -> None:
    check(tree, text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "import json\nimport sklearn\nimport pandas",
            "models/mine/training.py:3: pandas is neither a module of this project, nor of"
            " functions/requirements/train.txt, nor of Python 3.13; accepted: what a package in"
            " models/mine/requirements.in brings, after `.venv/bin/sml lock mine`, or one in"
            " functions/requirements/train.in, after `make lock`",
        ),
        ("def fit(X, y, params):\n    import pandas", "models/mine/training.py:2: pandas is neither"),
        ("import importlib\nimportlib.import_module('pandas.io')", "models/mine/training.py:2: pandas is neither"),
        ("try:\n    import pandas\nexcept ValueError:\n    pass", "models/mine/training.py:2: pandas is neither"),
        ("try:\n    import pandas\nexcept ImportError:\n    import polars", "models/mine/training.py:4: polars is"),
        ("if TYPE_CHECKING:\n    x = 1\nelse:\n    import pandas", "models/mine/training.py:4: pandas is neither"),
        ("x = 1\nif x:\n    import pandas", "models/mine/training.py:3: pandas is neither"),
        ("from google import cloud", "models/mine/training.py:1: google is neither"),
        ("import cgi", "models/mine/training.py:1: cgi is neither"),
        ("import onnxruntime", "models/mine/training.py:1: onnxruntime is neither"),
        (
            "import helper",
            "models/mine/training.py:1: helper lies beside this file, and is found as .helper alone; accepted: from ."
            " import helper",
        ),
        (
            "from . import helpr",
            "models/mine/training.py:1: models.mine.helpr is no module of this project; accepted: a module in"
            " models/mine/",
        ),
        (
            "from .nested import dep",
            "models/mine/training.py:1: models.mine.nested.dep is no module of this project; accepted: a module in"
            " models/mine/nested/",
        ),
        (
            "from .helper import SCALES",
            "models/mine/training.py:1: models.mine.helper defines no SCALES; accepted: what models/mine/helper.py"
            " defines",
        ),
        (
            "from ... import helper",
            "models/mine/training.py:1: from ... leads out of the project; accepted: at most a dot for each folder of"
            " models/mine/training.py",
        ),
        ("from ....models import common", "models/mine/training.py:1: from ....models leads out of the project"),
        ("from .helpr import SCALE", "models/mine/training.py:1: models.mine.helpr is no module of this project"),
        ("from .helpr import *", "models/mine/training.py:1: models.mine.helpr is no module of this project"),
        ("import features.mony", "models/mine/training.py:1: features.mony is no module of this project"),
        (
            "from infra import settings",
            "models/mine/training.py:1: infra is a package of the program, which no archive holds; accepted: a package"
            " beside infra/",
        ),
    ],
)
def test_what_cannot_be_imported_is_refused_with_file_and_line(text: str, sentence: str, tree: Path) -> None:
    assert refused(tree, text).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "models/mine/training.py does not exist; accepted: a module that defines fit(X, y, params)"),
        ("def fitt(X, y, params): ...", "models/mine/training.py defines no fit; accepted: a module that defines fit"),
    ],
)
def test_a_model_without_a_fit_is_refused_before_it_is_trained(text: str | None, sentence: str, tree: Path) -> None:
    file = tree / "models" / "mine" / "training.py"
    file.unlink() if text is None else file.write_text(text, encoding="utf-8")
    with pytest.raises(pulumi.RunError) as problem:
        require_training("mine", tree)
    assert str(problem.value).startswith(sentence)


@pytest.mark.parametrize(
    "text", ["def fit(X, y, params): ...", "fit = max", "from .helper import SCALE as fit", "from .helper import *"]
)
def test_a_fit_may_come_from_anywhere(text: str, tree: Path) -> None:
    (tree / "models" / "mine" / "training.py").write_text(text, encoding="utf-8")
    require_training("mine", tree)


def test_a_model_of_a_stack_whose_fit_takes_no_weights_stops_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = Contract.load("breast_cancer")
    weighted = contract.model_copy(update={"weights": Weights(classes="balanced")})
    monkeypatch.setattr(chosen_models, "load", lambda _: weighted)
    settings = Settings.parse({"cloud": "aws", "models": ["breast_cancer"]}, where="Pulumi.test.yaml")
    with pytest.raises(pulumi.RunError, match=r"^models/breast_cancer/training\.py:\d+: fit takes no weights, which"):
        chosen_models.require(settings)


def test_a_mistake_in_what_is_carried_along_is_found_there(tree: Path) -> None:
    (tree / "features" / "money.py").write_text("\nimport pandas\n", encoding="utf-8")
    assert refused(tree, "import features").startswith("features/money.py:2: pandas is neither")
    (tree / "functions" / "entry.py").write_text("import pandas\n", encoding="utf-8")
    assert refused(tree, "").startswith("functions/entry.py:1: pandas is neither")


def test_the_standard_library_is_that_of_the_functions_whatever_runs_the_program(tree: Path) -> None:
    check(tree, "import cgi, crypt", python="3.12")
    check(tree, "import cgi, distutils.core, imp", python="3.11")
    assert "distutils is neither" in refused(tree, "import distutils", python="3.12")
    assert "annotationlib is neither" in refused(tree, "import annotationlib")


def test_a_package_that_the_cloud_installs_whole_can_be_imported(tree: Path) -> None:
    check(tree, "import onnxruntime", packing=replace(PACKING, built=True))
    sentence = refused(tree, "import pandas", packing=replace(PACKING, built=True))
    assert "nor of functions/requirements/gcp/train.txt" in sentence
    assert sentence.endswith("or one in functions/requirements/train.in, after `make lock`")


def test_a_function_that_trains_nothing_needs_nothing_of_training(tree: Path) -> None:
    (tree / "functions" / "entry.py").write_text("import models.contract\n", encoding="utf-8")
    check(tree, "import pandas")


def test_a_lock_that_does_not_say_what_it_brings_is_named(tree: Path) -> None:
    (tree / "functions/requirements/train.txt").write_text("numpy==2\n", encoding="utf-8")
    sentence = refused(tree, "import sklearn")
    assert "functions/requirements/train.txt does not say which modules it brings; `make lock` writes that" in sentence


ANCHORED = "from pathlib import Path\nHERE = Path(__file__).parent\n"
"""How a module finds a file beside it."""


def declare(root: Path, *files: str) -> None:
    (root / "models/mine/model.yaml").write_text(f"{YAML}files: [{', '.join(files)}]\n", encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        'from pathlib import Path\nx = (Path(__file__).parent / "table.csv").read_text()',
        'from pathlib import Path\nx = Path(__file__).with_name("table.csv").read_text()',
        'from pathlib import Path\nx = Path(__file__).resolve().parent.joinpath("table.csv")',
        'import os\nx = open(os.path.join(os.path.dirname(__file__), "table.csv"))',
        f'{ANCHORED}\nx = open(HERE / "table.csv")',
        f'{ANCHORED}\ndef fit(X, y, params):\n    return (HERE / "table.csv").read_bytes()',
        f'{ANCHORED}\nx = HERE / "../mine/table.csv"',
    ],
)
def test_a_file_that_is_read_is_declared_and_carried_or_refused(text: str, tree: Path) -> None:
    (tree / "models" / "mine" / "table.csv").write_bytes(b"a,b\r\n")
    line = text.splitlines().index(next(line for line in text.splitlines() if "table.csv" in line)) + 1
    sentence = refused(tree, text)
    assert sentence.startswith(f"models/mine/training.py:{line}: reads ")
    assert "accepted: a file that models/mine/model.yaml lists under files" in sentence
    declare(tree, "table.csv")
    assert "models/mine/table.csv" in carried(tree, text)


@pytest.mark.parametrize("text", ['x = open("table.csv")', 'import pandas\nx = pandas.read_csv("table.csv")'])
def test_a_path_from_the_working_directory_is_refused_although_it_is_declared(text: str, tree: Path) -> None:
    """The working directory of a function is the archive's root."""
    (tree / "models" / "mine" / "table.csv").write_text("", encoding="utf-8")
    declare(tree, "table.csv")
    assert "reads table.csv" in refused(tree, text.replace("import pandas\n", "pandas = None\n"))


@pytest.mark.parametrize(
    "text",
    [
        'x = open("/proc/cpuinfo")',
        'x = open("elsewhere.csv", "w")',
        f'{ANCHORED}x = HERE / "made-later.bin"',
        f'{ANCHORED}x = HERE / "model.yaml"',
        'x = open("models/mine/table.csv")',
        "import numpy\nx = numpy.load('s3://bucket/key')",
    ],
)
def test_a_path_to_what_is_there_or_is_no_file_of_ours_is_accepted(text: str, tree: Path) -> None:
    (tree / "models" / "mine" / "table.csv").write_text("", encoding="utf-8")
    declare(tree, "table.csv")
    check(tree, text)


@pytest.mark.parametrize("name", ["gone.csv", "../other.csv", "/etc/passwd", "./table.csv"])
def test_what_is_declared_is_a_file_of_the_folder(name: str, tree: Path) -> None:
    (tree / "models" / "mine" / "table.csv").write_text("", encoding="utf-8")
    (tree / "models" / "other.csv").write_text("", encoding="utf-8")
    declare(tree, name)
    sentence = refused(tree, "")
    assert sentence.startswith(f"models/mine/model.yaml: files: {name} is no file there; accepted: the path of a file")


def test_what_a_training_shares_is_told_apart_from_its_own_folder(tree: Path) -> None:
    (tree / "models/mine/training.py").write_text("from . import helper\nimport features, single", encoding="utf-8")
    names = [file.relative_to(tree).as_posix() for file in shared("mine", tree)]
    assert names == ["features/__init__.py", "features/money.py", "single.py"]


def test_the_modules_of_installed_packages_are_found(tmp_path: Path) -> None:
    names = [
        "whole/__init__.py",
        "plain.py",
        "native.cpython-313-x86_64-linux-gnu.so",
        "stable.abi3.so",
        "space/two.py",
    ]
    names += ["space/one/__init__.py", "whole-1.0.dist-info/METADATA", "__pycache__/plain.pyc", "bin/tool", "data.json"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(found(tmp_path)) == ["native", "plain", "space.one", "space.two", "stable", "whole"]
    (tmp_path / "lock.txt").write_text("a==1\n# modules: b c.d\n", encoding="utf-8")
    assert modules(tmp_path / "lock.txt") == {"b", "c.d"}


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_that_reads_tables_carries_what_its_reading_process_runs(spec: FunctionSpec) -> None:
    """That process is started by a text, in which nobody looks for imports."""
    files = {file.relative_to(ROOT).as_posix() for file in closure([spec.entry.partition(":")[0]])}
    dataset = "functions/core/dataset"
    program = {f"{dataset}/{name}.py" for name in ("reader_program", "read_here", "csv_table", "json_lines", "parquet")}
    assert (program <= files) is (f"{dataset}/read_apart.py" in files) is (spec.name in ("prepare", "jobs"))
