"""When something is due, as Cloud Scheduler says it."""

from __future__ import annotations

from infra.cron import parse, render


def expression(cron: str) -> str:
    """Five fields, render out: in them Sunday is 0 alone. https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules"""
    due = parse(cron)
    return " ".join(render(field) for field in (due.minutes, due.hours, due.days, due.months, due.weekdays))
