"""The account that the engine keeps, on a cloud that is a list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

from localcloud.engine.engine import Changes, Engine, ResourceFailed
from localcloud.engine.program import Declared, evaluate
from localcloud.engine.resource_handler import Order
from localcloud.engine.stack_file import StackFile
from tests.localcloud.fakes import FOG, LAMP, PLUG, WIRE, FakeCloud, Thing

STACK = StackFile(project="serverless-ml", name="fake", config={})


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud()


class Deploy:
    """Evaluates programs, one after the other, against one engine."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.engine = Engine(cloud)

    def __call__(self, program: Callable[[], object]) -> Changes:
        self.engine.begin()
        evaluate(STACK, self.engine, program)
        return self.engine.finish()


@pytest.fixture
def deploy(cloud: FakeCloud) -> Deploy:
    return Deploy(cloud)


def names(urns: tuple[str, ...]) -> list[str]:
    return [urn.split("::")[-1] for urn in urns]


def test_the_same_program_again_changes_nothing(deploy: Deploy, cloud: FakeCloud) -> None:
    def program() -> None:
        lamp = Thing(LAMP, "lamp", {"colour": "red"})
        Thing(WIRE, "wire", {"length": lamp.name})

    assert names(deploy(program).created) == ["lamp", "wire"]
    done = list(cloud.did)
    again = deploy(program)
    assert not again
    assert names(again.unchanged) == ["lamp", "wire"]
    assert cloud.did == done


def test_a_changed_input_is_changed_in_place_where_the_handler_can(deploy: Deploy, cloud: FakeCloud) -> None:
    deploy(lambda: Thing(LAMP, "lamp", {"colour": "red"}))
    changes = deploy(lambda: Thing(LAMP, "lamp", {"colour": "blue"}))
    assert names(changes.updated) == ["lamp"]
    assert [line.split()[0] for line in cloud.did] == ["create", "update"]


def test_what_only_says_whose_a_resource_is_replaces_none(deploy: Deploy, cloud: FakeCloud) -> None:
    deploy(lambda: Thing(WIRE, "wire", {"length": 1, "labels": {"model": "a"}, "forceDestroy": False}))
    changes = deploy(lambda: Thing(WIRE, "wire", {"length": 1, "labels": {"model": "b"}, "forceDestroy": True}))
    assert names(changes.updated) == ["wire"]
    assert [line.split()[0] for line in cloud.did] == ["create"]


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [(WIRE, {"length": 1}, {"length": 2}), (LAMP, {"shape": "round"}, {"shape": "square"})],
    ids=["no update", "fixed input"],
)
def test_what_cannot_change_in_place_is_replaced_and_the_old_one_goes_last(
    deploy: Deploy, cloud: FakeCloud, kind: str, before: dict[str, object], after: dict[str, object]
) -> None:
    deploy(lambda: Thing(kind, "it", before))
    changes = deploy(lambda: Thing(kind, "it", after))
    assert names(changes.replaced) == ["it"]
    first, second, third = cloud.did
    assert (first.split()[0], second.split()[0], third.split()[0]) == ("create", "create", "delete")
    assert third.split()[1] == first.split()[1] != second.split()[1]


def test_a_replacement_under_a_fixed_name_waits_until_the_name_is_free(deploy: Deploy, cloud: FakeCloud) -> None:
    deploy(lambda: Thing(WIRE, "it", {"name": "copper", "length": 1}))
    deploy(lambda: Thing(WIRE, "it", {"name": "copper", "length": 2}))
    assert cloud.did == ["create copper", "delete copper", "create copper"]


def test_what_is_no_longer_declared_is_deleted_dependents_first(deploy: Deploy, cloud: FakeCloud) -> None:
    def program() -> None:
        lamp = Thing(LAMP, "lamp", {"colour": "red"})
        Thing(WIRE, "wire", {"length": lamp.name})

    deploy(program)
    changes = deploy(lambda: None)
    assert names(changes.deleted) == ["lamp", "wire"]
    assert [line.split()[1].split("-")[0] for line in cloud.did[2:]] == ["wire", "lamp"]
    assert not deploy(lambda: None)


def test_a_resource_that_is_declared_again_is_created_again(deploy: Deploy) -> None:
    deploy(lambda: Thing(LAMP, "lamp", {"colour": "red"}))
    deploy(lambda: None)
    assert names(deploy(lambda: Thing(LAMP, "lamp", {"colour": "red"})).created) == ["lamp"]


def test_a_type_without_a_handler_is_named_with_its_urn(deploy: Deploy) -> None:
    with pytest.raises(ResourceFailed, match=r"fake:home/ghost:Ghost casper: .*no resource handler") as failure:
        deploy(lambda: Thing("fake:home/ghost:Ghost", "casper", {}))
    assert "urn:pulumi:fake::serverless-ml::" in str(failure.value)


def test_a_failing_resource_is_named_and_the_next_evaluation_goes_on_from_there(
    deploy: Deploy, cloud: FakeCloud
) -> None:
    def program() -> None:
        lamp = Thing(LAMP, "lamp", {"colour": "red"})
        Thing(WIRE, "wire", {"length": lamp.name})

    cloud.broken.add("wire")
    with pytest.raises(ResourceFailed, match="wire: the fuse is blown"):
        deploy(program)
    cloud.broken.clear()
    changes = deploy(program)
    assert names(changes.created) == ["wire"]
    assert names(changes.unchanged) == ["lamp"]


def test_an_input_that_does_nothing_is_reported_with_its_reason(deploy: Deploy) -> None:
    deploy(lambda: Thing(LAMP, "lamp", {"colour": "red", "smell": "pine", "weight": 3}))
    not_emulated = deploy.engine.not_emulated
    assert not_emulated == {f"{LAMP}.smell": "lamps have none", f"{LAMP}.weight": "no effect here"}


def test_a_part_of_an_input_that_does_nothing_is_reported_by_its_path(deploy: Deploy) -> None:
    deploy(lambda: Thing(PLUG, "plug", {"volts": {"rms": 230, "phase": 3}}))
    assert deploy.engine.not_emulated == {f"{PLUG}.volts.phase": "there is one"}
    deploy(lambda: Thing(PLUG, "plug", {"volts": {"rms": 230}}))
    assert deploy.engine.not_emulated == {}


def test_an_accepted_type_is_reported_and_not_made(deploy: Deploy, cloud: FakeCloud) -> None:
    deploy(lambda: Thing(FOG, "fog", {"density": 1}))
    assert deploy.engine.not_emulated == {FOG: "too thin"}
    assert cloud.did == []


def test_the_report_speaks_of_the_last_evaluation_only(deploy: Deploy) -> None:
    deploy(lambda: Thing(FOG, "fog", {}))
    deploy(lambda: Thing(PLUG, "plug", {"volts": 230}))
    assert deploy.engine.not_emulated == {}


def test_a_file_counts_by_its_content(deploy: Deploy, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("same", encoding="utf-8")
    two.write_text("same", encoding="utf-8")
    deploy(lambda: Thing(PLUG, "plug", {"volts": pulumi.FileAsset(str(one))}))
    assert not deploy(lambda: Thing(PLUG, "plug", {"volts": pulumi.FileAsset(str(two))}))
    two.write_text("other", encoding="utf-8")
    assert deploy(lambda: Thing(PLUG, "plug", {"volts": pulumi.FileAsset(str(two))}))


def test_physical_names_fit_their_limit_and_differ_between_stacks() -> None:
    def name(stack: str, logical: str, limit: int = 64) -> str:
        urn = f"urn:pulumi:{stack}::p::{LAMP}::{logical}"
        declared = Declared(urn=urn, type=LAMP, name=logical, parent="", custom=True, inputs={})
        return Order(session=None, declared=declared).name(limit=limit, suffix=".fifo")

    assert len(name("a", "x" * 100, limit=40)) == 40
    assert name("a", "x" * 100, limit=40).endswith(".fifo")
    assert name("a", "lamp") == name("a", "lamp") != name("b", "lamp")
