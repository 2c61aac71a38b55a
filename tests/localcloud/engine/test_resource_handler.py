"""The resource handlers of every embedded cloud: the same program twice changes nothing, and nothing is left behind."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from tests.localcloud.conftest import Lab


@pytest.fixture
def deployed(kind: ModuleType, lab: Lab[Any]) -> Lab[Any]:
    lab.deploy(kind.Everything())
    return lab


def test_the_program_declares_every_type_that_has_a_resource_handler(deployed: Lab[Any]) -> None:
    assert {one.declared.type for one in deployed.engine.resources} == set(deployed.cloud.handlers)


def test_a_handler_says_why_it_ignores_what_it_does_not_take(lab: Lab[Any]) -> None:
    assert {kind: handler.takes & handler.ignores.keys() for kind, handler in lab.cloud.handlers.items()} == {
        kind: frozenset() for kind in lab.cloud.handlers
    }
    assert not lab.cloud.handlers.keys() & lab.cloud.absent.keys()


def test_the_same_program_again_changes_nothing(kind: ModuleType, deployed: Lab[Any]) -> None:
    assert not deployed.deploy(kind.Everything())


def test_every_changed_input_arrives_and_then_nothing_changes(kind: ModuleType, deployed: Lab[Any]) -> None:
    changes = deployed.deploy(kind.Everything(second=True))
    touched = {urn.split("::")[-1] for urn in (*changes.updated, *changes.replaced)}
    declared = {one.declared.name for one in deployed.engine.resources}
    assert declared - touched <= kind.SAME_EITHER_WAY
    assert not changes.created
    assert not changes.deleted
    assert not deployed.deploy(kind.Everything(second=True))


def test_a_program_that_declares_nothing_leaves_nothing(kind: ModuleType, lab: Lab[Any]) -> None:
    before = kind.listed(lab.cloud)
    lab.deploy(kind.Everything())
    assert [name for name, present in kind.listed(lab.cloud).items() if len(present) <= len(before[name])] == []
    lab.deploy(kind.Everything(second=True))
    lab.deploy(lambda: None)
    assert kind.listed(lab.cloud) == before


def test_the_cloud_has_each_resource_until_it_is_deleted(deployed: Lab[Any]) -> None:
    cloud = deployed.cloud
    asked = [(cloud.handlers[one.declared.type].exists, one) for one in deployed.engine.resources]

    def present() -> dict[str, bool]:
        return {one.declared.name: exists(cloud.session, one) for exists, one in asked if exists is not None}

    assert [name for name, there in present().items() if not there] == []
    deployed.deploy(lambda: None)
    assert [name for name, there in present().items() if there] == []


def test_only_what_goes_with_another_resource_is_not_asked_for(lab: Lab[Any], kind: ModuleType) -> None:
    silent = {name for name, handler in lab.cloud.handlers.items() if handler.exists is None}
    assert silent == kind.NEVER_ALONE
