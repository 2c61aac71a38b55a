"""Traces that a cloud keeps: a part of a stack's settings."""

from __future__ import annotations

from infra.section import Section


class Traces(Section):
    """What is kept of traces besides the logs, which always hold them: docs/tracing.md."""

    cloud: bool = False
    """Whether the cloud keeps traces of its own where it charges for them: X-Ray on AWS."""
