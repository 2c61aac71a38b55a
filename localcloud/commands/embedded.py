"""Which stacks can run on this machine: those on a cloud whose tier says so."""

from __future__ import annotations

import pulumi

from infra import clouds
from infra.tier import Tier
from localcloud.engine.stack_file import StackFile


def require_embedded(stack: str) -> None:
    """Refuse a stack on a cloud that is not embedded. A cloud that is not known is left to whoever starts it.

    Raises `pulumi.RunError` that names the cloud's tier and lists the clouds that are embedded.
    """
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
