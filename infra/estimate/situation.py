"""A graph of resources, and what the estimate knows or assumes besides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from infra.estimate import assumed
from infra.estimate.traffic import Traffic
from infra.quotas import Declared
from interface import variables

PREDICT = "predict"


@dataclass(frozen=True, kw_only=True)
class Node:
    """A resource of a graph that was written as JSON, or that a program notes while it runs."""

    type: str
    name: str
    parent: str
    """The URN, or the name, of its component."""
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Situation:
    """Everything that figures follow from."""

    graph: Sequence[Declared]
    traffic: Traffic = field(default_factory=Traffic)
    region: str = ""
    experiments: Mapping[str, float] = field(default_factory=dict)
    """By model: how many experiments a run of it has. A model without has none: it is trained elsewhere."""
    budgets: Mapping[str, str] = field(default_factory=dict)
    """By model: what the experiments of a run may use, in words, where its contract caps that."""
    model: str = ""
    """Of whose run is spoken; empty for the mean of all."""

    @cached_property
    def by_component(self) -> Mapping[str, Sequence[Declared]]:
        """The resources of each component."""
        found: dict[str, list[Declared]] = {}
        for resource in self.graph:
            found.setdefault(component(resource), []).append(resource)
        return found

    def beside(self, resource: Declared, kind: str) -> list[Declared]:
        """Return the resources of a type in the component of another."""
        return [other for other in self.by_component[component(resource)] if other.type == kind]

    def environment(self, function: str) -> Mapping[str, str]:
        """Return the variables of a function, by its name; none for one that is not there."""
        for resource in self.by_component.get(function, ()):
            if found := _environment(resource.inputs):
                return found
        return {}

    @cached_property
    def predicting(self) -> Mapping[str, tuple[str, ...]]:
        """By the name of each predict function: the models that the API asks it about."""
        found = {}
        for name in self.by_component:
            stated = self.environment(name) if name == PREDICT or name.startswith(f"{PREDICT}-") else {}
            elsewhere = stated.get(variables.MODELS_ELSEWHERE, "").split(",")
            if models := tuple(m for m in stated.get(variables.MODELS, "").split(",") if m and m not in elsewhere):
                found[name] = models
        return found

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The models of the stack."""
        return tuple(sorted(model for models in self.predicting.values() for model in models))

    @property
    def trained(self) -> Mapping[str, float]:
        """The models of the stack that are trained here, and to how many experiments a run of each comes."""
        return {model: self.experiments[model] for model in self.models if model in self.experiments}

    @property
    def experiments_a_run(self) -> float:
        """Experiments of one run: of the model that is spoken of, or the mean of all that are trained here."""
        if self.model:
            return self.experiments.get(self.model, 0)
        return sum(self.trained.values()) / len(self.trained) if self.trained else 0

    @property
    def rollout(self) -> Mapping[str, Any]:
        """The rollout plan; none for a stack that does not state it."""
        return json.loads(self.environment("rollout").get(variables.ROLLOUT, "{}"))

    @property
    def bakes(self) -> int:
        """How often a rollout is judged, if every bake sees enough requests."""
        return len(self.rollout.get("steps", ())) + (self.rollout.get("shadow") is not None)

    @property
    def captured_share(self) -> float:
        """The share of requests whose rows are kept."""
        stated = self.environment(PREDICT).get(variables.CAPTURE_INPUTS, "0")
        return float(stated) if self.traffic.captured_share is None else self.traffic.captured_share

    @property
    def captured_bytes(self) -> float:
        """What the capture of a request adds to its store, in bytes."""
        rows = self.traffic.rows_a_request * self.traffic.bytes_a_row
        return assumed.CAPTURE_BYTES + self.captured_share * rows

    @property
    def copies_at_work(self) -> float:
        """Copies of predict functions that answer at a time: one at least, while there are requests."""
        return max(1.0, self.traffic.requests_per_second * self.traffic.milliseconds_a_request / 1000)

    @property
    def captures_a_request(self) -> float:
        """Objects of captures for a request: each copy writes one a second at most."""
        rate = self.traffic.requests_per_second
        return min(1.0, self.copies_at_work / rate) if rate else 1.0

    @property
    def pointer_reads_a_request(self) -> float:
        """Reads of the live pointer for a request: each copy reads it again after some seconds."""
        seconds = float(self.environment(PREDICT).get(variables.POINTER_SECONDS, 5))
        return min(1.0, self.captures_a_request / seconds) if self.traffic.requests_per_second * seconds > 1 else 1.0


def component(resource: Declared) -> str:
    """Return the name of a resource's component."""
    return resource.parent.rpartition("::")[2]


def _environment(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the variables among a function's inputs, wherever its cloud has them."""
    for key, value in inputs.items():
        if key in ("environment", "serviceConfig") and isinstance(value, Mapping):
            found = value.get("variables") or value.get("environmentVariables")
            if isinstance(found, Mapping):
                return found
    return {}
