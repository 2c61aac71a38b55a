"""The application: every command, and what becomes of a mistake."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import typer
from typer._click import Context, HelpFormatter
from typer.core import TyperGroup

from sml.commands import (
    alarms,
    approvals,
    check,
    console,
    cost,
    drift,
    feedback,
    function,
    init,
    lock,
    predict,
    quality,
    query,
    rehearse,
    releases,
    review,
    runs,
    stack,
    stop,
    trace,
    tune,
    upload,
    versions,
)
from sml.commands.export import app as export
from sml.commands.jobs import app as jobs
from sml.commands.registry import app as registry
from sml.mistake import FAILED, INTERRUPTED, UNREACHABLE, Mistake
from sml.typed import Typed


class Grouped(TyperGroup):
    """A list of commands under headings. Drawn without rich, whose import alone takes as long as all else."""

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        for heading in (*PANELS, OTHERS):
            found = [(name, self.commands[name]) for name in self.list_commands(ctx)]
            rows = [(name, one.get_short_help_str(90)) for name, one in found if _heading(one) == heading]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def _heading(command: object) -> str:
    heading = getattr(command, "rich_help_panel", None)
    return heading if isinstance(heading, str) else OTHERS


OTHERS = "Other commands"
TRACE = "SML_TRACE"
"""The variable with which a mistake of the program itself shows where it was made."""
APP = typer.Typer(
    name="sml",
    cls=Grouped,
    rich_markup_mode=None,
    help="Work with a serverless-ml stack: the one that `make up` runs, or one in an account (--stack dev).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PANELS: dict[str, tuple[Callable[..., object], ...]] = {
    "A new model": (init.init, check.check, lock.lock),
    "Data and training": (upload.upload, upload.retrain),
    "Runs": (runs.runs, runs.show, runs.leaderboard, runs.compare, runs.report),
    "Versions": (versions.models, versions.versions, versions.live, versions.history, versions.diff),
    "Releases": (
        rehearse.rehearse,
        approvals.approvals,
        approvals.approve,
        approvals.reject,
        releases.release,
        releases.promote,
        releases.withdraw,
        releases.rollback,
    ),
    "Predictions": (predict.predict, feedback.feedback, quality.quality, drift.drift),
    "Questions": (query.query,),
    "A change": (review.review,),
    "The stack": (
        alarms.alarms,
        console.console,
        cost.cost,
        stack.status,
        stop.stop,
        stop.resume,
        tune.tune,
        stack.put,
        function.logs,
        trace.trace,
        function.redrive,
        function.send,
    ),
}
for panel, commands in PANELS.items():
    for command in commands:
        APP.command(rich_help_panel=panel)(command)
APP.add_typer(jobs, name="job", rich_help_panel="Predictions")
APP.add_typer(export, name="export", rich_help_panel="Runs")
APP.add_typer(registry, name="registry", rich_help_panel="Versions")


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit code."""
    try:
        APP(prog_name="sml")
    except Mistake as mistake:
        print(f"sml: {mistake}", file=sys.stderr)
        sys.exit(mistake.code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as problem:
        # What is read is told where it is read; this is a file that cannot be written.
        about = f"{problem.filename} cannot be written" if problem.filename else "the machine refuses"
        print(f"sml: {about}: {problem.strerror or problem}", file=sys.stderr)
        sys.exit(FAILED)
    except Exception as problem:
        if _of_a_store(problem):
            said = " ".join(str(problem).split()).partition("Debug source")[0][:300]
            print(f"sml: the store cannot be used: {said}", file=sys.stderr)
            sys.exit(UNREACHABLE)
        if os.environ.get(TRACE):
            raise
        what = f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}"
        verify = next(iter(getattr(problem, "__notes__", ())), Typed()("registry", "verify"))
        shown = f"`{verify}` says what is damaged, {TRACE}=1 where"
        print(f"sml: what was found cannot be shown: {what}; {shown}", file=sys.stderr)
        sys.exit(FAILED)


def _of_a_store(problem: Exception) -> bool:
    """Return whether a problem is one of the stores' client, which is imported only by commands that use a store."""
    client = sys.modules.get("obstore.exceptions")
    ours = sys.modules.get("functions.core.storage.objects")
    return (client is not None and isinstance(problem, client.BaseError)) or (
        ours is not None and isinstance(problem, ours.Forbidden | ours.Unreadable | ours.Missing)
    )
