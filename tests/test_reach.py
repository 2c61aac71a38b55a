"""The rules that what nothing uses goes, over this tree, and over a small one in which each is seen to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import reach
from tests.architecture import Rule
from tests.reach import RULES
from tests.root import ROOT
from tests.test_architecture import changed, plant

GOOD = {
    "infra/__main__.py": "import importlib\nimportlib.import_module(f'infra.{name}').CLOUD\n"
    "from infra.bundle import x\nfrom infra.function_table import FUNCTIONS\n"
    "from infra.storage import Store\nprint(x, FUNCTIONS, Store)",
    "Makefile": "up:\n\tpython -m localcloud up\nbench:\n\tpython -m bench\n",
    "Pulumi.yaml": "name: serverless-ml\nmain: infra\n",
    "infra/aws/__init__.py": "import infra.cellar\nfrom infra.storage import Store\nCLOUD = Store()",
    "infra/bundle.py": "x = 1",
    "infra/cellar.py": "print()",
    "infra/storage.py": "from threading import Thread\nclass Base:\n    def act(self): ...\n"
    "class Store(Base):\n    def act(self): ...\nclass Worker(Thread):\n    def run(self): ...\n"
    "Worker().start()\nStore().act()\ntry:\n    a = 1\nexcept ImportError:\n    a = 2\nprint(a)",
    "infra/function_spec.py": "class Http:\n    adapter: ClassVar = 'http.handler'",
    "infra/function_table.py": "from infra.function_spec import Http\n"
    "FUNCTIONS = (Http, 'functions.entries.predict:predict')",
    "functions/adapters/aws/http.py": "def handler(entry): ...",
    "functions/entries/predict.py": "from functions.core.http import routes\n"
    "from functions.core.runtime.step import f\ndef predict():\n    f()",
    "functions/core/http/routes.py": "",
    "functions/core/runtime/step.py": "def f(): ...",
    "localcloud/__main__.py": "from localcloud.commands import demo\nfrom localcloud.engine import cloud",
    "localcloud/aws/__init__.py": "def start(): ...",
    "localcloud/commands/demo.py": "",
    "localcloud/engine/cloud.py": "import importlib\nimportlib.import_module(f'localcloud.{name}').start()",
    "models/contract.py": "",
    "models/tabular/training.py": "from models import contract\ndef fit(): ...",
    "bench/__main__.py": "import importlib\nimportlib.import_module(f'bench.{name}').rows('worker.py', 'peer')",
    "bench/cold.py": "def rows(): ...",
    "bench/worker.py": "print()",
    "bench/peers/peer.py": "@app.post('/')\ndef answer(): ...\napp = 1",
}
BAD: list[tuple[Rule, str, str]] = [
    (reach.every_module_is_reached, "infra/attic.py", "print()"),
    (reach.every_module_is_reached, "functions/core/http/attic.py", "from functions.core.http import routes"),
    (reach.every_module_is_reached, "functions/core/http/attic.py", "def f(): ...\nf()"),
    (reach.every_module_is_reached, "localcloud/attic/__init__.py", "def begin(): ...\nbegin()"),
    (reach.every_module_is_reached, "localcloud/commands/attic.py", "print('demo')"),
    (
        reach.every_module_is_reached,
        "localcloud/engine/cloud.py",
        "import importlib\nimportlib.import_module(f'localcloud.{name}')\nprint('start')",
    ),
    (reach.every_module_is_reached, "models/tabular/attic.py", "print()"),
    (reach.every_module_is_reached, "bench/attic.py", "print()"),
    (reach.every_module_is_reached, "bench/peers/attic.py", "print()"),
    (reach.every_name_is_used, "infra/bundle.py", "def idle(): ..."),
    (reach.every_name_is_used, "infra/bundle.py", "def _idle(n):\n    return _idle(n - 1)"),
    (reach.every_name_is_used, "infra/bundle.py", "class Idle: ..."),
    (reach.every_name_is_used, "infra/bundle.py", "x = 1\n_IDLE = 2"),
    (reach.every_name_is_used, "infra/bundle.py", "idle: int = 2\n'idle'"),
    (reach.every_name_is_used, "infra/bundle.py", "def idle(): ...\nprint('says that it is idle')"),
    (reach.every_name_is_used, "infra/bundle.py", "Store = 2"),
    (reach.every_name_is_used, "infra/bundle.py", "class f:\n    def idle(self): ..."),
    (
        reach.every_name_is_used,
        "functions/core/runtime/step.py",
        "class f:\n    @property\n    def idle(self): ...",
    ),
    (reach.every_name_is_used, "models/contract.py", "IDLE = 1"),
    *(
        (reach.every_module_is_reached, path, text)
        for path, text in (
            ("infra/attic.py", "if __name__ == '__main__':\n    print()"),
            ("localcloud/attic/__main__.py", "print()"),
            ("functions/adapters/azure/http.py", "def handler(entry): ..."),
            ("infra/aws/__init__.py", "if TYPE_CHECKING:\n    from infra import cellar\nCLOUD = 1"),
            ("infra/aws/__init__.py", "if not TYPE_CHECKING:\n    pass\nelse:\n    import infra.cellar\nCLOUD = 1"),
        )
    ),
    *(
        (reach.every_name_is_used, "infra/bundle.py", f"x = 1\n{text}")
        for text in (
            "def idle():\n    return _other()\ndef _other():\n    return idle()",
            "def idle(): ...\ndef _other():\n    return idle()",
            "class Idle:\n    def f(self):\n        return _other()\ndef _other():\n    return Idle().f()",
            "if x:\n    def idle(): ...",
            "try:\n    IDLE = 1\nexcept ImportError:\n    IDLE = 2",
            "try:\n    x = 2\nexcept ImportError:\n    def idle(): ...",
            "for y in (1, 2):\n    idle = y",
            "with x:\n    idle = 3",
            "while x:\n    class Idle: ...",
            "from infra.storage import Store\nclass Mine(Store):\n    def idle(self): ...\nMine()",
            "class Mine(ValueError):\n    def idle(self): ...\nMine()",
            "from enum import Enum\nclass Mine(Enum):\n    def idle(self): ...\nMine",
        )
    ),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("good"), GOOD)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_nothing_is_here_that_nothing_uses(rule: Rule) -> None:
    assert rule(ROOT) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_tree_of_which_everything_is_used_breaks_no_rule(rule: Rule, good: Path) -> None:
    assert rule(good) == []


@pytest.mark.parametrize(("broken", "path", "text"), BAD)
def test_what_nothing_uses_breaks_its_rule_and_no_other(broken: Rule, path: str, text: str, good: Path) -> None:
    with changed(good / path, text):
        assert [rule.__name__ for rule in RULES if rule(good)] == [broken.__name__]


def test_every_rule_has_been_seen_to_fail() -> None:
    assert {rule.__name__ for rule in RULES} == {rule.__name__ for rule, _, _ in BAD}
