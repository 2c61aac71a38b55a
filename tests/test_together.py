from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from tests import conftest
from tests.conftest import FIRST, LATER, PARSING, WORKER, integrated, together
from tests.loop.conftest import STACKS
from tests.root import ROOT

pytest_plugins = ["pytester"]

LOOP = "tests/loop/test_api.py::test_it"


@pytest.mark.parametrize("rest", ["", "-b'[[[']", "-{'a': [1]}-x]", "-x@y]"])
def test_the_loop_of_a_cloud_is_one_group_whatever_its_parameters(rest: str) -> None:
    assert together(f"{LOOP}[aws{rest or ']'}") == "loop of aws"
    assert together(f"{LOOP.replace('api', 'jobs')}[gcp{rest or ']'}") == "loop of gcp"


def test_everything_else_stays_with_its_file() -> None:
    assert together("tests/infra/test_limits.py::test_it[aws]") == "tests/infra/test_limits.py"


def test_a_stack_of_the_pulumi_cli_is_a_group_and_each_stack_with_symbols_is_one() -> None:
    assert together("tests/engine/test_changes.py::test_it[gcp-a grant]") == "tests/engine/test_changes.py of gcp"
    assert together("tests/engine/test_changes.py::test_it[gcp]") == "tests/engine/test_changes.py of gcp"
    assert (
        together("tests/engine/test_every_stack.py::test_it[gcp-dev]") == "tests/engine/test_every_stack.py of gcp-dev"
    )
    assert together("tests/engine/test_mistakes.py::test_it") == "tests/engine/test_mistakes.py"


def test_whatever_begins_first_is_there() -> None:
    """A file that was moved would begin anywhere."""
    groups = {"rules of the tree", *(f"loop of {cloud}" for cloud in STACKS)}
    assert [scope for scope in FIRST if scope not in groups and not (ROOT / scope.split(" of ")[0]).is_file()] == []
    assert groups <= set(FIRST)


def test_whatever_parses_the_tree_is_one_group_and_is_there() -> None:
    assert {together(f"{file}::test_it[x]") for file in PARSING} == {"rules of the tree"}
    assert [file for file in PARSING if not (ROOT / file).is_file()] == []


def test_a_stack_or_an_emulator_makes_an_integration_test() -> None:
    assert integrated("tests/loop/test_api.py::test_it", [])
    assert integrated("tests/localcloud/aws/test_functions.py::test_it", ["tmp_path", "aws_lab", "aws"])
    assert not integrated("tests/infra/test_limits.py::test_it", ["tmp_path"])


@pytest.mark.parametrize(
    ("nodeid", "gives_way"),
    [
        (f"{LOOP}[aws]", []),
        ("tests/engine/test_life.py::test_it[aws]", [LATER]),
        ("tests/test_docs.py::test_it", [LATER]),
    ],
)
def test_a_worker_leaves_the_processors_to_the_loop_from_its_first_other_test_on(
    nodeid: str, gives_way: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(conftest, "gave_way", [])
    monkeypatch.setattr(os, "nice", lambda more: asked.append(more) or more)
    monkeypatch.setenv(WORKER, "gw0")
    item: Any = SimpleNamespace(nodeid=nodeid)
    for _ in range(2):
        next(conftest.pytest_runtest_protocol(item))
    assert asked == gives_way


@pytest.mark.integration
def test_a_unit_test_that_starts_a_process_fails_and_an_integration_test_does_not(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile(
        """
        import os, pytest

        def test_unit():
            os.system("true")

        @pytest.fixture(scope="session")
        def left_up():
            yield
            os.system("true")

        @pytest.mark.integration
        def test_integration(left_up):
            os.system("true")

        def test_unit_at_the_end():
            pass
        """
    )
    pytester.makeini("[pytest]\nmarkers = integration")
    done = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["*a unit test starts no process*os.system*"])
