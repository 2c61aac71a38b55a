from __future__ import annotations

import json

import pulumi
import pytest

from localcloud.engine.quotas import KEY, account_quotas
from localcloud.engine.stack_file import StackFile

KNOWN = ("ConcurrentExecutions", "MemorySize")


def stack(quotas: object = None) -> StackFile:
    config = {} if quotas is None else {KEY: json.dumps(quotas)}
    return StackFile(project="serverless-ml", name="tests", config=config)


def test_a_stack_that_sets_no_quota_has_none() -> None:
    assert account_quotas(stack(), KNOWN) == {}


def test_quotas_are_those_of_the_stacks_file() -> None:
    assert account_quotas(stack({"ConcurrentExecutions": 10}), KNOWN) == {"ConcurrentExecutions": 10}


@pytest.mark.parametrize("wrong", [{"Copies": 10}, {"MemorySize": "10"}, {"MemorySize": True}, {"MemorySize": 0}, [1]])
def test_what_is_no_quota_is_refused_with_what_is_accepted(wrong: object) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        account_quotas(stack(wrong), KNOWN)
    assert str(refused.value) == (
        f"Pulumi.tests.yaml: localcloud:quotas: found {wrong!r};"
        " accepted: whole numbers for ConcurrentExecutions, MemorySize"
    )
