"""How long the policies of a stack are, before anything is made: from the longest names that can come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from infra import trainers
from infra.bounds import Limits
from infra.function_spec import FunctionSpec, Http, Needs, OnSchedule
from infra.function_table import TABLE, named
from infra.keys import Access, Keys, below
from infra.permissions import merged
from infra.scaling import Latency
from infra.serving import groups, shortened
from infra.settings import Settings
from infra.verdict import Verdict, within

POLICY_CHARACTERS = 1024
"""Characters of a function's policy without what is said of objects: its log, its traces, its queue."""
BUCKET = "arn:...:s3:::{store}-bucket-1a2b3c4"
"""The ARN of a bucket, with three characters for its partition, and the seven that Pulumi adds to its name."""
STOPPING_CHARACTERS = 700
"""Of the policy of who stops a stack, without the names of its parts: what may be done with each kind of them."""
UUID = "00000000-0000-0000-0000-000000000000"
PREFIXES_OF_A_BINDING = 6
"""The most prefixes of one model that one binding can name: infra/gcp/access.py has the source."""


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What one function is granted for the models that it serves."""

    where: str
    """The setting that decides for how many models it is."""
    function: str
    spec: FunctionSpec
    models: tuple[str, ...]
    every: bool = True
    """Whether the stack has no other models."""
    more: int = 0
    """Characters of the policy that do not follow from its row."""

    @property
    def characters(self) -> int:
        """The most characters of its policy on AWS, where one wildcard stands for every model."""
        return self._characters(("*",) if self.every else self.models)

    @property
    def least(self) -> int:
        """The same for as few models as can be."""
        return self._characters(("*",) if self.every else self.models[:1])

    def _characters(self, models: tuple[str, ...]) -> int:
        return POLICY_CHARACTERS + self.more + _statements(self.spec.needs, models)

    @property
    def bindings(self) -> int:
        """The most bindings that give it one role on one store on GCP."""
        return 1 if self.spec.stops else _bindings(self.spec.needs, len(self.models))

    @property
    def fewest(self) -> int:
        """The same for one model."""
        return 1 if self.spec.stops else _bindings(self.spec.needs, 1)


def granted(settings: Settings, functions: Iterable[FunctionSpec]) -> Iterator[Granted]:
    """Yield what each function of a stack is granted, given the rows of the function table."""
    for group in groups(settings):
        every = set(group.answered) == set(settings.models)
        yield Granted(
            where="models" if every else "scaling.models, which sets functions apart, with models",
            function=group.name,
            spec=named("predict"),
            models=group.answered,
            every=every,
        )
    for spec in functions:
        if not isinstance(spec.trigger, Http):
            models = trainers.served(spec, settings.models)
            every = set(models) == set(settings.models)
            where = "models" if every or spec.model else "models, some of which have packages of their own"
            parts = stopped(settings) if spec.stops else ()
            more = STOPPING_CHARACTERS * spec.stops + sum(len(part) + 3 for part in parts)
            yield Granted(where=where, function=spec.name, spec=spec, models=models, every=every, more=more)


def stopped(settings: Settings) -> Iterator[str]:
    """Yield how the policy of who stops a stack names each part, with the longest name of a region."""
    of = "arn:...:{}:ap-southeast-6:123456789012:{}-1a2b3c4"
    for name in functions_of(settings):
        yield of.format("lambda", f"function:{name}-function")
    for name in schedules_of(settings):
        yield of.format("scheduler", f"schedule/default/{name}-schedule")
        yield of.format("iam:", f"role/{name}-role")
    for spec in trainers.deployed(settings):
        if spec.consumes and not spec.stops:
            yield of.format("lambda", f"event-source-mapping:{UUID}")
    for group in groups(settings):
        if isinstance(group.profile, Latency):
            yield of.format("lambda", f"function:{group.name}-function:live")


def functions_of(settings: Settings) -> list[str]:
    """Return the names of the functions that a stack can stop."""
    rows = [spec for spec in trainers.deployed(settings) if not isinstance(spec.trigger, Http) and not spec.stops]
    return [*(spec.name for spec in rows), *(group.name for group in groups(settings))]


def schedules_of(settings: Settings) -> list[str]:
    """Return the names of its schedules: at most one of each model, whether that is trained or only published."""
    called = [f"{spec.name}-on-time" for spec in trainers.deployed(settings) if isinstance(spec.trigger, OnSchedule)]
    return [*called, *(f"republish-{shortened(model)}" for model in settings.models)]


def verdicts(settings: Settings, functions: Iterable[FunctionSpec], bounds: Limits) -> Iterator[Verdict]:
    """Compare what each function is granted. The row is to blame for what breaks a bound whatever the models are."""
    for one in granted(settings, functions):
        row = f"{TABLE}: {one.spec.name}: needs"
        if (most := bounds.policy_characters) is not None:
            what, origin = f"characters of the policy of {one.function}", row if one.least > most else ""
            yield within(one.where, what, one.characters, (None, most), origin)
        if (most := bounds.bindings) is not None:
            what, origin = f"bindings for {one.function} to one store", row if one.fewest > most else ""
            yield within("models", what, one.bindings, (None, most), origin)


_ACTIONS: Mapping[Access, list[str]] = {
    Access.READ: ["s3:GetObject"],
    Access.WRITE: ["s3:PutObject", "s3:AbortMultipartUpload"],
    Access.REMOVE: ["s3:DeleteObject"],
}


def _statements(needs: Iterable[Needs], models: Iterable[str]) -> int:
    """Return the most characters of the statements about some models' objects: infra/aws/access.py writes them."""
    statements: list[object] = []
    if not (models := tuple(models)):
        return 0
    for (store, access), prefixes in merged(needs).items():
        bucket = BUCKET.format(store=store)
        keys = [f"{prefix}*" for prefix in below(Keys(models=models, prefixes=prefixes))]
        statements.append(
            {"Effect": "Allow", "Action": _ACTIONS[access], "Resource": [f"{bucket}/{key}" for key in keys]}
        )
        if access is Access.READ:
            condition = {"StringLikeIfExists": {"s3:prefix": keys}}
            listing = {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [bucket], "Condition": condition}
            statements.append(listing)
    return len(json.dumps(statements, separators=(",", ":")))


def _bindings(needs: Iterable[Needs], models: int) -> int:
    """Return the most bindings of one role on one store for a number of models: infra/gcp/access.py makes them."""
    return max((models * -(-len(prefixes) // PREFIXES_OF_A_BINDING) for prefixes in merged(needs).values()), default=0)
