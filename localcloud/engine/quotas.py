"""The quotas of the account that an embedded cloud plays: none, unless the stack's file sets some."""

from __future__ import annotations

import json
from collections.abc import Collection

import pulumi

from localcloud.engine.stack_file import StackFile

KEY = "localcloud:quotas"


def account_quotas(stack: StackFile, known: Collection[str]) -> dict[str, int]:
    """Return the quotas that a stack's file sets, by the cloud's own names; without any, nothing is refused.

    Raise `pulumi.RunError` for what is no mapping of the `known` names to whole numbers.
    """
    text = stack.get(KEY, "{}")
    try:
        quotas = json.loads(text)
    except ValueError:
        quotas = text
    if not isinstance(quotas, dict) or not all(
        name in known and isinstance(quota, int) and not isinstance(quota, bool) and quota > 0
        for name, quota in quotas.items()
    ):
        raise pulumi.RunError(
            f"Pulumi.{stack.name}.yaml: {KEY}: found {quotas!r}; accepted: whole numbers for {', '.join(sorted(known))}"
        )
    return quotas
