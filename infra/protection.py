"""A protected stack is destroyed on purpose, or not at all."""

from __future__ import annotations

import pulumi


class Everything:
    """All components that are declared with its options, in the order of their declaration."""

    def __init__(self) -> None:
        self.components: list[pulumi.Resource] = []

    def __call__(self, args: pulumi.ResourceTransformationArgs) -> None:
        """Note a component: Pulumi calls this for each, and for what is below it."""
        if args.opts.parent is None:
            self.components.append(args.resource)


class Protection(pulumi.ComponentResource):
    """What depends on everything else of the stack, and is protected with it.

    Pulumi deletes what others depend on last. Whatever is chosen - a destroy without a preview, `--target` with its
    dependents, `--exclude-protected`, which leaves what the protected depends on - it comes to this first, and stops.
    Without it, `destroy --skip-preview` deletes all that is not protected, and then fails.

    It stays when the stack is no longer protected, so that this can be deployed: the engine refuses to delete what its
    last deployment protected.
    """

    def __init__(self, name: str, everything: Everything, *, protect: bool) -> None:
        opts = pulumi.ResourceOptions(protect=protect, depends_on=everything.components)
        super().__init__("serverless-ml:stack:Protection", name, None, opts)
        self.register_outputs({})
