"""The program runs here as the CLI's own host runs it."""

from __future__ import annotations

import gc
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from localcloud.engine.engine import Engine
from localcloud.engine.program import Registered, evaluate
from localcloud.engine.resource_handler import Order
from localcloud.engine.stack_file import StackFile
from tests.localcloud.fakes import LAMP, FakeCloud, Thing


def stack(config: Mapping[str, str] | None = None) -> StackFile:
    return StackFile(project="house", name="attic", config=config or {})


def engine() -> Engine:
    fresh = Engine(FakeCloud())
    fresh.begin()
    return fresh


def test_outputs_of_resources_flow_into_the_exports() -> None:
    def program() -> None:
        pulumi.export("lamp", Thing(LAMP, "lamp", {"name": "sun"}).name)
        pulumi.export("count", pulumi.Output.from_input(3))

    assert evaluate(stack(), engine(), program) == {"lamp": "sun", "count": 3}


def test_secrets_are_unwrapped() -> None:
    def program() -> None:
        pulumi.export("nested", {"inner": pulumi.Output.secret(["a", 1])})

    assert evaluate(stack(), engine(), program) == {"nested": {"inner": ["a", 1]}}


def test_whole_numbers_arrive_as_integers() -> None:
    cloud = Engine(FakeCloud())
    cloud.begin()
    evaluate(stack(), cloud, lambda: Thing(LAMP, "lamp", {"colour": 30, "shape": 0.5}))
    inputs = cloud.resources[0].inputs
    assert inputs == {"colour": 30, "shape": 0.5}
    assert isinstance(inputs["colour"], int)


def test_a_program_sees_its_own_stack_and_configuration_every_time() -> None:
    def program() -> None:
        pulumi.export("all", [pulumi.get_project(), pulumi.get_stack(), pulumi.Config().get("colour")])

    assert evaluate(stack({"house:colour": "red"}), engine(), program)["all"] == ["house", "attic", "red"]
    assert evaluate(stack(), engine(), program)["all"] == ["house", "attic", None]


def test_a_folder_is_run_as_the_command_line_runs_it(tmp_path: Path) -> None:
    (tmp_path / "sibling.py").write_text("COLOUR = 'green'\n", encoding="utf-8")
    (tmp_path / "__main__.py").write_text(
        textwrap.dedent("""
            import pulumi
            import sibling
            pulumi.export("name", __name__)
            pulumi.export("colour", sibling.COLOUR)
        """),
        encoding="utf-8",
    )
    assert evaluate(stack(), engine(), tmp_path) == {"name": "__main__", "colour": "green"}


def test_a_mistake_of_the_program_is_raised_as_it_is() -> None:
    def program() -> None:
        raise pulumi.RunError("Pulumi.attic.yaml: colour: purple is not accepted")

    with pytest.raises(pulumi.RunError, match="purple is not accepted"):
        evaluate(stack(), engine(), program)


def test_a_mistake_inside_an_apply_is_raised() -> None:
    def broken(_: str) -> str:
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        evaluate(stack(), engine(), lambda: Thing(LAMP, "lamp", {"name": "sun"}).name.apply(broken))


def test_an_evaluation_after_a_failed_one_is_clean() -> None:
    with pytest.raises(ZeroDivisionError):
        evaluate(stack(), engine(), lambda: 1 / 0)
    assert evaluate(stack(), engine(), lambda: pulumi.export("fine", True)) == {"fine": True}


def test_two_resources_of_one_name_are_refused() -> None:
    def program() -> None:
        Thing(LAMP, "lamp", {})
        Thing(LAMP, "lamp", {})

    with pytest.raises(pulumi.RunError, match="two resources are called lamp"):
        evaluate(stack(), engine(), program)


def test_functions_of_the_provider_are_answered_and_unknown_ones_named() -> None:
    def ask(token: str) -> Any:
        return pulumi.runtime.invoke(token, {"number": 21}).value

    answers: list[Any] = []
    evaluate(stack(), engine(), lambda: answers.append(ask("fake:index/double:double")))
    assert answers == [{"result": 42}]
    with pytest.raises(pulumi.RunError, match="fake:index/other:other"):
        evaluate(stack(), engine(), lambda: answers.append(ask("fake:index/other:other")))


def test_components_are_known_and_not_made() -> None:
    registrar = engine()

    class Group(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("house:index:Group", "group")
            self.lamp = Thing(LAMP, "lamp", {"colour": "red"})
            self.register_outputs({})

    evaluate(stack(), registrar, Group)
    assert [resource.declared.name for resource in registrar.resources] == ["lamp"]


def test_failures_after_the_first_are_not_reported_later(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeCloud):
        def _create(self, order: Order) -> Registered:
            raise ValueError(f"no fuse for {order.name()}")

    def program() -> None:
        for number in range(20):
            Thing(LAMP, f"lamp{number}", {"colour": "red"})

    registrar = Engine(Broken())
    registrar.begin()
    with pytest.raises(pulumi.RunError, match="no fuse"):
        evaluate(stack(), registrar, program)
    gc.collect()
    assert "never retrieved" not in caplog.text
