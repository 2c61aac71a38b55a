"""Secret settings stay secret in the stack's state, and in messages.

Pulumi encrypts an input of a resource, and the output of the same name, where the program marks the input. It tells
the program only that the settings hold a secret, and not which of them: then every input that a setting decides is
marked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pulumi

from infra.complaint import HIDDEN
from infra.settings import KEY


def marking(inputs: Mapping[str, Collection[str]]) -> pulumi.ResourceTransformation:
    """Return a transformation that marks these inputs as secret: by the type of a resource, their names in Python."""

    def marked(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        names = inputs.get(args.type_, ())
        values = dict(args.props or {})
        secrets = {name: pulumi.Output.secret(values[name]) for name in names if values.get(name) is not None}
        return pulumi.ResourceTransformationResult({**values, **secrets}, args.opts)

    return marked


def shown(value: object) -> str:
    """Return the value of a setting for a message, or that it is not shown if the stack's settings are secret."""
    return HIDDEN if pulumi.runtime.is_config_secret(KEY) else str(value)
