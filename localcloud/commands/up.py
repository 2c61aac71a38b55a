"""A stack that keeps running on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from infra.function_spec import Messages
from infra.function_table import FUNCTIONS
from localcloud.commands.alarms import AlarmTeller
from localcloud.commands.alone import alone
from localcloud.commands.control import FILE, Command, Control
from localcloud.commands.edits import stated, unnamed
from localcloud.commands.embedded import require_embedded
from localcloud.commands.follow import first, follow
from localcloud.commands.progress import Progress
from localcloud.commands.tell import Teller
from localcloud.engine.cloud import CloudFailed, Entrance
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT, STATE
from models.section import names
from sml.typed import Typed

SAMPLE = "breast_cancer"
"""The model that `make wdbc.csv` writes a dataset for."""
SML = ".venv/bin/sml"


def main(progress: Progress, stack: str, state: Path) -> int:
    """Deploy, print how to call the API, and deploy again after each edit until interrupted; then stop everything.

    While the stack runs, its outputs are in `<state>/outputs.json`, and other commands reach it
    by `<state>/control.json`.
    """
    require_embedded(stack)
    began, outputs = time.time(), state / "outputs.json"
    with ExitStack() as until_the_end:
        until_the_end.enter_context(alone(state))
        with progress.step("start") as step:
            local = until_the_end.enter_context(LocalStack(stack, state=state, progress=step.say))
            step.text = f"the embedded {local.cloud.title}"
        first(local, lambda: deploy(local, progress))
        outputs.write_text(json.dumps(local.outputs, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        try:
            watching = AlarmTeller(local, lambda text: progress.line("alarm", text))
            until_the_end.enter_context(Control(state / FILE, stack_commands(local, watching)))
            _print_outputs(local, progress, outputs, state)
            until_the_end.enter_context(watching)
            until_the_end.enter_context(Teller(local, progress, _typed(state)))
            follow(local, progress, since=began)
            return 0
        finally:
            outputs.unlink(missing_ok=True)


def stack_commands(stack: LocalStack, watching: AlarmTeller | None = None) -> dict[str, Command]:
    """Return what `sml` may have a running stack do; `watching` tells of its alarms to others, too."""
    alarms = watching or AlarmTeller(stack, lambda _: None)
    return {
        "facts": lambda _: facts(stack.file.name, stack.cloud.entrance, stack.outputs),
        "start": lambda fields: {"execution": stack.execute(fields["argument"])},
        "send": lambda fields: stack.send(takes_messages(fields["function"]), fields["message"]) or {},
        "logs": lambda fields: {"lines": stack.logs(fields["function"], fields["lines"])},
        "alarms": lambda _: {"alarms": alarms.look()},
        "resources": lambda _: {"resources": resources(stack)},
        "redrive": lambda fields: {"moved": stack.redrive(fields["function"])},
    }


def resources(stack: LocalStack) -> list[Mapping[str, str]]:
    """Return everything deployed: the type, the name in the program, and what the cloud calls it."""
    return [{"type": one.declared.type, "name": one.declared.name, "id": one.id} for one in stack.resources]


def takes_messages(function: str) -> str:
    """Return the name. Raises `CloudFailed` for a function of another trigger, and lists those that take messages."""
    names = [spec.name for spec in FUNCTIONS if isinstance(spec.trigger, Messages)]
    if function not in names:
        there = ", ".join(names) or "none"
        raise CloudFailed(f"no function called {function} takes messages; there are: {there} (infra/function_table.py)")
    return function


def facts(stack: str, entrance: Entrance, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a client needs: name and outputs, none before it is deployed, and how all is reached."""
    certificate = str(entrance.certificate.resolve()) if entrance.certificate else None
    return {
        "stack": stack,
        "outputs": dict(outputs),
        "endpoint": entrance.endpoint,
        "options": dict(entrance.store_options),
        "certificate": certificate,
    }


def deploy(stack: LocalStack, progress: Progress) -> None:
    """Deploy, and print progress and the number of resources."""
    with progress.step("deploy") as step:
        step.say("building the functions' archives")
        stack.progress = step.say
        stack.deploy()
        step.text = summary(stack)


def summary(stack: LocalStack) -> str:
    """Count what is deployed: `118 resources, 6 functions, 1 workflow`."""
    functions = len(stack.of(stack.cloud.function))
    workflows = len(stack.of(stack.cloud.workflow))
    return f"{len(stack.resources)} resources, {functions} functions, {workflows} workflow{'s' * (workflows != 1)}"


def _typed(state: Path) -> Typed:
    """Return what writes a command for the stack whose files are in this folder."""
    return Typed(state=None if state == STATE else state, program=SML)


def _print_outputs(stack: LocalStack, progress: Progress, outputs: Path, state: Path) -> None:
    endpoint, typed = stack.outputs.get("endpoint", "none"), _typed(state)
    progress.line("endpoint", endpoint)
    progress.line("try", f"curl -s {endpoint}/v2")
    if SAMPLE in (stack.outputs.get("models") or {}):
        progress.line("train", f"make wdbc.csv; {typed('upload', SAMPLE, 'wdbc.csv', '--wait')}")
        progress.line("predict", typed("predict", SAMPLE, "wdbc.csv", "--limit", "3"))
    progress.line("look", typed("console"))
    for model in sorted(set(names()) - set(stack.outputs.get("models") or {}) - set(stated(stack))):
        progress.line("left out", unnamed(stack, model))
    progress.line("outputs", str(outputs.relative_to(ROOT) if outputs.is_relative_to(ROOT) else outputs))
    progress.paragraph("not emulated", ", ".join(sorted({key.split(":")[-1] for key in stack.not_emulated})))
    followed = f"functions/, models/, interface/ and {stack.file.path.name}"
    progress.plain(f"following {followed}; Ctrl-C takes everything down")
