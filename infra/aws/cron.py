"""Schedules in the syntax of EventBridge Scheduler."""

from __future__ import annotations

from infra.cron import parse, render


def expression(cron: str) -> str:
    """Return five fields of cron in that syntax: `0 3 * * 1` (Mondays at 3:00) becomes `cron(0 3 ? * 2 *)`.

    Three things differ: a day of the week is counted from Sunday = 1, one of the two day fields must be
    `?`, and a year is added. Values are written out, so that every step and range means what it means
    in cron: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """
    due = parse(cron)
    minutes, hours, months = render(due.minutes), render(due.hours), render(due.months)
    if due.weekdays is None:
        return f"cron({minutes} {hours} {render(due.days)} {months} ? *)"
    return f"cron({minutes} {hours} ? {months} {render(day + 1 for day in due.weekdays)} *)"
