"""The functions of a stack: what each row of the table becomes, whom it serves, and what it may touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

from infra import serving, trainers
from infra.archive import Archive, Platform
from infra.components import Function, Queue
from infra.environment import environment
from infra.estimate.meter import meter
from infra.function_spec import FunctionSpec, Http
from infra.function_table import STOP, named
from infra.keep import always, passing
from infra.keys import Access, Keys
from infra.permissions import Stores, grants
from infra.scaling import Profile
from infra.settings import Settings
from infra.size import Size
from infra.vocabulary import Cloud, FunctionArgs, Grant, Stops
from interface import layout


@dataclass(frozen=True, kw_only=True)
class StackFunctions:
    """What every function of a stack is made of."""

    cloud: Cloud
    settings: Settings
    platform: Platform
    archives: Mapping[str, Archive]
    stores: Stores
    queues: Mapping[str, Queue]

    def declare(self, opts: pulumi.ResourceOptions) -> dict[str, Function]:
        """Declare every function but the one that stops the stack; return them by name.

        Those behind the API have the name of their group.
        """
        settings, functions = self.settings, dict[str, Function]()
        for spec in trainers.deployed(settings):
            if not isinstance(spec.trigger, Http) and not spec.stops:
                one = self._args(spec, settings.size_of(spec), trainers.served(spec, settings.models))
                one = replace(one, keep=passing(settings.protect)) if spec.model else one
                functions[spec.name] = self.cloud.function(spec.name, one, opts)
        for group in serving.groups(settings):
            shared = self._args(named("predict"), group.size, group.answered, group.profile)
            group_args = replace(
                shared,
                scaling=group.profile,
                environment={**shared.environment, **group.environment},
                keep=shared.keep if group.name == "predict" else passing(settings.protect),
            )
            # Under whichever of its models' names it was made, the function stays.
            aliases = [pulumi.Alias(name=name) for name in group.formerly]
            named_before = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=aliases))
            functions[group.name] = self.cloud.function(group.name, group_args, named_before)
        return functions

    def stop(
        self, functions: Mapping[str, Function], schedules: Mapping[str, object], opts: pulumi.ResourceOptions
    ) -> dict[str, Function]:
        """Declare the function that stops all of these, if the settings ask for it; return it by name."""
        if not self.settings.stoppable:
            return {}
        spec = named(STOP)
        shared = self._args(spec, self.settings.size_of(spec), self.settings.models)
        others = {name: queue for name, queue in self.queues.items() if name != STOP}
        args = replace(
            shared,
            grants=self._record(),
            stops=Stops(functions=functions, queues=others, schedules=schedules),
            keep=passing(self.settings.protect),
        )
        return {STOP: self.cloud.function(STOP, args, opts)}

    def _record(self) -> tuple[Grant, ...]:
        """Return what the function may do with the record of a stopped stack, which is of no model."""
        keys = Keys(models=(layout.STACK,), prefixes=(layout.STOPPED,))
        return tuple(
            Grant(name=f"{access}-models", store=self.stores.models, access=access, keys=keys)
            for access in (Access.READ, Access.WRITE)
        )

    def _args(
        self, spec: FunctionSpec, size: Size, models: Sequence[str], scaling: Profile | None = None
    ) -> FunctionArgs:
        cloud, settings = self.cloud, self.settings
        here = "" if cloud.charges is None else cloud.charges.here()
        metered = meter(cloud.name, here, self.platform.architecture, size.memory_mb, scaling)
        return FunctionArgs(
            archive=self.archives[spec.name],
            code=self.stores.code,
            platform=self.platform,
            memory_mb=size.memory_mb,
            timeout_seconds=size.timeout_seconds,
            concurrency=size.concurrency or spec.copies,
            reserved=size.concurrency is not None,
            environment=environment(spec, settings, self.platform, self.stores, sorted(models), metered),
            grants=grants(spec, self.stores, models, every_model=set(models) == set(settings.models)),
            log_days=settings.log_days,
            signs=spec.signs,
            consumes=self.queues.get(spec.name),
            traced=self.settings.traces.cloud,
            keep=always(settings.protect),
        )
