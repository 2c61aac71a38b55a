"""The URN of a resource, as Pulumi's engine forms it.

The engine joins the types from the outermost component on with `$`, and leaves out the stack's own
(sdk/go/common/resource/urn/urn.go, `New`). The monitor of Pulumi's test mocks does neither: it puts the
stack's type before what lies directly under the stack, and keeps only the innermost parent's.
"""

from __future__ import annotations

STACK_TYPE = "pulumi:pulumi:Stack"


def urn_of(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """Return the URN of a resource, by the URN of its parent, which is empty for the stack itself.

    `urn_of("dev", "serverless-ml", "urn:pulumi:dev::serverless-ml::a:b:C::c", "d:e:F", "f")` is
    `urn:pulumi:dev::serverless-ml::a:b:C$d:e:F::f`.
    """
    above = parent.split("::")[2] if parent else STACK_TYPE
    types = type_ if above == STACK_TYPE else f"{above}${type_}"
    return f"urn:pulumi:{stack}::{project}::{types}::{name}"
