"""When something is due, as Cloud Scheduler says it."""

from __future__ import annotations

from infra.cron import parse, spelt


def expression(cron: str) -> str:
    """Five fields, spelt out: in them Sunday is 0 alone. https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules"""
    due = parse(cron)
    return " ".join(spelt(field) for field in (due.minutes, due.hours, due.days, due.months, due.weekdays))
