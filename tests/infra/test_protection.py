"""A protected stack is destroyed on purpose: what refuses comes before everything else."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.infra.aws import whole as aws
from tests.infra.gcp import whole as gcp
from tests.infra.kept import PROTECTION, Break, lost_before_protection, unguarded, unprotected

every_cloud = pytest.mark.parametrize("whole", [aws, gcp], ids=["aws", "gcp"])


@every_cloud
def test_a_destroy_comes_to_the_protection_before_anything_else(whole: ModuleType) -> None:
    assert lost_before_protection(whole.graph()) == []


@every_cloud
@pytest.mark.parametrize("broken", [unprotected(PROTECTION, "protection"), unguarded("api"), unguarded("jobs")])
def test_what_the_protection_does_not_depend_on_is_found(whole: ModuleType, broken: Break) -> None:
    assert lost_before_protection(broken(whole.graph()))


@every_cloud
def test_the_protection_stays_when_a_stack_is_no_longer_protected(whole: ModuleType) -> None:
    """The engine refuses to delete what its last deployment protected."""
    graph = whole.whole(protect=False)
    assert not graph.one(PROTECTION).protect
    assert [resource.name for resource in graph if resource.protect] == []
