"""Traces: a part of a stack's settings, and what a traced component is told of them."""

from __future__ import annotations

from dataclasses import dataclass

from infra.keep import Lasting
from infra.section import Section


class Traces(Section):
    """What is kept of traces besides the logs, which always hold them: docs/tracing.md."""

    cloud: bool = False
    """Whether the cloud keeps traces of its own where it charges for them: X-Ray on AWS."""


@dataclass(frozen=True, kw_only=True)
class Traced(Lasting):
    """What the cloud can keep traces of."""

    traced: bool = False
    """Whether it does, where that has to be asked for and is charged for."""
