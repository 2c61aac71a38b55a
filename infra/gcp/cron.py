"""Schedules in the syntax of Cloud Scheduler."""

from __future__ import annotations

from infra.cron import parse, render


def expression(cron: str) -> str:
    """Return five fields of cron, written out, in which only 0 is Sunday.

    https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules
    """
    due = parse(cron)
    return " ".join(render(field) for field in (due.minutes, due.hours, due.days, due.months, due.weekdays))
