"""What `sml init` says when it is done: what it found, what it made, and what to type next."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

from models.task import lower_is_better
from sml.init.shown import show_table
from sml.init.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sml.init.making import Made

TYPED = "SML_TYPED"
"""The variable that says what was typed to run this: `sml/launcher.sh`."""
_SHOWN_FEATURES = 8
"""Of a row that is written out in a command line."""


def report(made: Made, *, as_json: bool) -> None:
    """Print it."""
    if as_json:
        told = {"files": list(made.files), "stacks": list(made.changed), "written": not made.wish.dry_run}
        print(json.dumps({**made.proposal.document(), **told, "next": list(_next(made))}, indent=2, ensure_ascii=False))
        return
    proposal, target = made.proposal, made.proposal.target
    rows = [(target.name, "target", f"{target.why}; {target.spread}")]
    rows += [(found.name, found.becomes, found.why) for found in proposal.columns]
    title = f"{proposal.model} from {proposal.source}, {proposal.rows:,} rows"
    show_table(title, ("column", "becomes", "why"), [tuple(shortened(cell, 400) for cell in row) for row in rows])
    plan = proposal.plan
    less = "less" if lower_is_better(plan.metric) else "more"
    print(f"gate: {plan.metric} of {plan.bound} or {less}; {plan.bound_why}")
    if (series := proposal.series) is not None:
        each = "" if series.group is None else f" and {series.group}"
        print(f"series by {series.time}{each}: {series.why}; lags {', '.join(map(str, series.lags))}")
    if proposal.split.group is not None:
        print(f"split by {proposal.split.group}: {proposal.split.why}")
    for warning in proposal.warnings:
        print(f"look at: {shortened(warning, 400)}")
    print(f"{'would write' if made.wish.dry_run else 'wrote'} {', '.join(made.files)}")
    if made.changed:
        print(f"{'would name' if made.wish.dry_run else 'named'} it in {', '.join(made.changed)}")
    print("next:")
    for line in _next(made):
        print(f"  {line}")


def _next(made: Made) -> Iterator[str]:
    model, sample, sml = made.wish.model, made.proposal.sample, os.environ.get(TYPED, "sml")
    table = shlex.quote(str(made.wish.table))
    if any(one.packages for one in made.proposal.families):
        yield f"{sml} lock {model}"
    yield f"{sml} upload {model} {table} --wait"
    if (series := made.proposal.series) is not None:
        if series.to_come:
            yield f"{sml} predict {model} {table}"
        return
    yield f"{sml} predict {model} {table} --limit 3"
    if len(sample) <= _SHOWN_FEATURES:
        yield f"{sml} predict {model} {shlex.quote(json.dumps(sample, ensure_ascii=False))}"
