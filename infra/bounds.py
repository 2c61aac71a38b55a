"""What can be bounded on a cloud; `infra.limits` has the figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one cloud. None: the cloud states no such bound."""

    unpacked_bytes: int | None
    memory_mb: tuple[int, int]
    timeout_seconds: int
    api_timeout_seconds: int
    """Of a function behind the API."""
    consumer_timeout_seconds: int
    """Of a function that consumes a queue: a message can stay hidden no longer."""
    consumer_concurrency: int
    """The least of a function that consumes a queue."""
    request_bytes: int
    environment_bytes: int
    part_bytes: int
    """Bytes of the name of what a stack can stop, beside what the program calls it."""
    copies_are_bounded: bool
    """Whether a function has a greatest number of copies where nothing is reserved for it."""
    routes: int | None
    """Of one API."""
    requests_a_copy: int
    """Requests that one copy of a function can answer at once."""
    prepared_pythons: tuple[str, ...]
    """Interpreters whose start can be prepared ahead."""
    hours: int
    """Parts of the week with a minimum of their own."""
    parallelism: int
    """Branches of a workflow at a time."""
    state_bytes: int
    """Data that a workflow may hold between two steps."""
    steps: int
    """Steps of one execution on GCP, recorded events of one execution on AWS."""
    steps_of_an_experiment: int
    """How many of them one experiment takes."""
    arrivals: int | None
    """Arrivals of one store."""
    pattern_characters: int | None
    """Characters of the pattern that names the prefixes of one arrival."""
    attempts: tuple[int, int]
    """Deliveries before a message becomes a dead letter: the least and the most."""
    architectures: tuple[str, ...]
    origins: int | None
    """Origins of pages that may call one API."""
    transform_bytes: int | None
    """Bytes of the code that compares a key with the models and prefixes of one arrival."""
    policy_characters: int | None
    """Characters of the policy of one function, spaces not counted."""
    trainers: int
    """Functions that each train one model, all called by one workflow."""
    bindings: int | None
    """Bindings of one store that give one role to one function under different conditions."""
    sources: tuple[str, ...]
    read_on: str
