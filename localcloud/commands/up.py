"""A stack that keeps running on this machine."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

from interface import layout
from localcloud.commands import registry
from localcloud.commands.control import FILE, Command, Control
from localcloud.commands.embedded import require_embedded
from localcloud.commands.follow import follow
from localcloud.commands.progress import Progress
from localcloud.commands.put import put
from localcloud.commands.rollback import roll_back
from localcloud.commands.train import train
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT

SAMPLE = "breast_cancer"
"""The model that `make wdbc.csv` writes a dataset for."""
PUT = ".venv/bin/python -m localcloud put"


def main(progress: Progress, stack: str, state: Path) -> int:
    """Deploy, print how to call the API, and deploy again after each edit until interrupted; then stop everything.

    While the stack runs, its outputs are in `<state>/outputs.json`, and other commands reach it
    by `<state>/control.json`.
    """
    require_embedded(stack)
    outputs = state / "outputs.json"
    with ExitStack() as until_the_end:
        with progress.step("start") as step:
            local = until_the_end.enter_context(LocalStack(stack, state=state, progress=step.say))
            step.text = f"the embedded {local.cloud.title}"
        deploy(local, progress)
        outputs.write_text(json.dumps(local.outputs, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        try:
            certificate = local.cloud.certificate
            facts = {"certificate": str(certificate.resolve()) if certificate else None}
            until_the_end.enter_context(Control(state / FILE, _commands(local), **facts))
            _print_outputs(local, progress, outputs)
            follow(local, progress)
            return 0
        finally:
            outputs.unlink(missing_ok=True)


def _commands(stack: LocalStack) -> dict[str, Command]:
    return {
        "send": lambda fields: stack.send(fields["function"], fields["message"]) or {},
        "put": lambda fields: put(stack, fields["url"], fields["key"], fields["file"]),
        "logs": lambda fields: {"lines": stack.logs(fields["function"], fields["lines"])},
        "redrive": lambda fields: {"moved": stack.redrive(fields["function"])},
        "train": lambda fields: train(stack, fields["model"]),
        "registry": lambda _: registry.entrance(stack),
        "rollback": lambda fields: roll_back(stack, fields["model"], fields["reason"]),
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


def _print_outputs(stack: LocalStack, progress: Progress, outputs: Path) -> None:
    endpoint = stack.outputs.get("endpoint", "none")
    progress.line("endpoint", endpoint)
    progress.line("try", f"curl -s {endpoint}/v2")
    if SAMPLE in (stack.outputs.get("models") or {}):
        key = f"{SAMPLE}/{layout.INCOMING}wdbc.csv"
        progress.line("train", f"make wdbc.csv; {PUT} {stack.outputs['data_url']} {key} wdbc.csv")
    progress.line("outputs", str(outputs.relative_to(ROOT) if outputs.is_relative_to(ROOT) else outputs))
    progress.paragraph("not emulated", ", ".join(sorted({key.split(":")[-1] for key in stack.not_emulated})))
    progress.plain("following functions/ and models/; Ctrl-C takes everything down")
