"""Which stacks can run on this machine: those on a cloud whose tier says so."""

from __future__ import annotations

import pulumi

from infra import clouds, function_checks
from infra.function_table import FUNCTIONS
from infra.tier import Tier
from localcloud.engine.stack_file import StackFile


def require_embedded(stack: str) -> None:
    """Refuse a stack on a cloud that is not embedded, and any stack while the function table has a mistake.

    A cloud that is not known is left to whoever starts it. Raises `pulumi.RunError` that names the cloud's tier and
    lists the clouds that are embedded, or names the row of the table and its mistake: before a cloud is started.
    """
    function_checks.require(FUNCTIONS)
    name = StackFile.read(stack).cloud
    if name not in clouds.names():
        return
    tier = clouds.find(name).tier
    if not tier.includes(Tier.EMBEDDED):
        raise pulumi.RunError(
            f"Pulumi.{stack}.yaml: cloud: {name} is of tier {tier.value}, so it does not run on this machine; "
            f"embedded: {', '.join(clouds.of(Tier.EMBEDDED))}"
        )


def is_local(stack: str) -> bool:
    """Return whether a stack is one for this machine, by its name: `local`, `gcp-local`."""
    return stack == "local" or stack.endswith("-local")
