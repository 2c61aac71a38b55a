"""URNs are those of Pulumi's engine: what a preview here prints is found in the state of a deployed stack."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pytest

from localcloud.engine.program import Declared, Registered, evaluate
from localcloud.engine.recorder import Recorder
from localcloud.engine.stack_file import StackFile
from tests.localcloud.fakes import LAMP

ATTIC = StackFile(project="house", name="attic", config={})


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, parent: pulumi.Resource | None = None) -> None:
        super().__init__(f"house:index:{name.title()}", name, None, pulumi.ResourceOptions(parent=parent))


def lamp(parent: pulumi.Resource | None) -> None:
    name = "lamp" if parent else "alone"
    pulumi.CustomResource(LAMP, name, {}, pulumi.ResourceOptions(parent=parent))


class Names:
    """A registrar that keeps the URN of each resource."""

    def __init__(self) -> None:
        self.urns: dict[str, str] = {}

    def register(self, declared: Declared) -> Registered:
        self.urns[declared.name] = declared.urn
        return Registered(id=declared.name)

    def call(self, token: str, args: object) -> dict[str, object]:
        raise KeyError(token)


def nested() -> None:
    outer = Group("outer")
    inner = Group("inner", outer)
    lamp(None)
    lamp(inner)


@pytest.mark.parametrize(
    ("name", "urn"),
    [
        ("alone", f"urn:pulumi:attic::house::{LAMP}::alone"),
        ("outer", "urn:pulumi:attic::house::house:index:Outer::outer"),
        ("inner", "urn:pulumi:attic::house::house:index:Outer$house:index:Inner::inner"),
        ("lamp", f"urn:pulumi:attic::house::house:index:Outer$house:index:Inner${LAMP}::lamp"),
    ],
)
def test_a_urn_holds_every_type_from_the_outermost_component_on_and_not_the_stacks(name: str, urn: str) -> None:
    registrar = Names()
    evaluate(ATTIC, registrar, nested)
    assert registrar.urns[name] == urn


@pytest.mark.parametrize("kind", [aws.sqs.Queue, Group])
def test_a_preview_refuses_a_urn_that_is_given_twice_as_the_engine_does(kind: Callable[[str], object]) -> None:
    def program() -> None:
        for _ in range(2):
            kind("twice")

    with pytest.raises(
        pulumi.RunError, match=r"two resources are called twice \((aws:sqs|house:index)[^)]+\); give one"
    ):
        evaluate(ATTIC, Recorder(), program, dry_run=True)


def test_the_same_name_below_two_parents_is_two_resources() -> None:
    def program() -> None:
        for name in ("east", "west"):
            lamp(Group("inner", Group(name)))

    registrar = Names()
    evaluate(ATTIC, registrar, program)
    assert len(registrar.urns) == 4
