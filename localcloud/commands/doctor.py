"""Whether a stack can be deployed into an account: the account itself is asked, read only."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from doctor import pulumi_cli
from doctor.check import CouldNotAsk, Doctor, Entrance, findings
from doctor.clouds import find
from doctor.finding import Finding, Verdict, exit_code
from doctor.stack import Stack
from infra import clouds
from infra.settings import Settings
from infra.vocabulary import Cloud
from localcloud.commands import graph
from localcloud.commands.embedded import is_local, require_embedded
from localcloud.commands.progress import Progress
from localcloud.commands.quotas import quota_lines
from localcloud.engine.program import Declared
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import SETTINGS, StackFile

COULD_NOT_ASK = 2
VERDICT, CHECK = 9, 11
"""Widths, in columns, of a verdict and of a check's name."""


def main(progress: Progress, stack: str, state: Path) -> int:
    """Ask the account of a stack, print what would fail with what mends it, and return 0 if nothing would.

    Returns 1 if `pulumi up` would fail, and 2 if nothing is known to fail and something could not be asked. A stack
    for this machine is asked about in the embedded cloud, which is started for it, empty, and stopped.
    Raises `pulumi.RunError` for a program or settings that could not be deployed.
    """
    file = StackFile.read(stack)
    declared, _ = graph.declare(progress, file)
    settings = Settings.parse(json.loads(file.get(SETTINGS, "null")), where=f"Pulumi.{file.name}.yaml")
    cloud = clouds.find(settings.cloud)
    with _entrance(progress, file, state) as entrance:
        return examine(progress, file, cloud, declared, entrance)


def examine(
    progress: Progress, file: StackFile, cloud: Cloud, declared: Sequence[Declared], entrance: Entrance | None = None
) -> int:
    """Ask an account, or an embedded cloud at its entrance, about a stack's resources; print and return as `main`."""
    if (doctor := find(cloud.name)) is None:
        progress.plain(f"an account of {cloud.name} cannot be asked: it has no checks; what is known without one:")
        return _offline(progress, cloud, declared)
    stack = Stack(
        config=file.config,
        resources=tuple(resource for resource in declared if resource.custom),
        wants=tuple(cloud.quotas(declared)) if cloud.quotas else (),
    )
    try:
        found = _asked(progress, doctor, stack, entrance)
    except CouldNotAsk as reason:
        progress.plain(f"{reason}; what is known without an account:")
        _print_mend(progress, reason.mend)
        return _offline(progress, cloud, declared)
    _print_summary(progress, found)
    return exit_code(found)


@contextmanager
def _entrance(progress: Progress, file: StackFile, state: Path) -> Generator[Entrance | None]:
    """Yield where a stack for this machine is asked; None for any other: in its account."""
    if not is_local(file.name) or find(file.cloud or "") is None:
        yield None
        return
    require_embedded(file.name)
    with ExitStack() as until_the_end:
        with progress.step("start") as step:
            local = until_the_end.enter_context(LocalStack(file.name, state=state, progress=step.say))
            step.text = f"the embedded {local.cloud.title}, empty"
        yield local.cloud.entrance


def _asked(progress: Progress, doctor: Doctor[Any], stack: Stack, entrance: Entrance | None) -> list[Finding]:
    """Ask every question, and print each answer as it comes. Raises `CouldNotAsk`."""
    with progress.step("ask") as step:
        step.say("who am I?")
        client = doctor.connect(stack, entrance)
        found = []
        for check in doctor.checks:
            step.say(f"{check.name}?")
            found += [(check.name, finding) for finding in findings(check, client, stack)]
        if entrance is None:
            step.say("the Pulumi CLI?")
            found += [("pulumi", finding) for finding in pulumi_cli.check()]
        step.text = doctor.title if entrance is None else f"the embedded {doctor.title}"
    for name, finding in found:
        progress.plain(f"  {finding.verdict.value:<{VERDICT}} {name:<{CHECK}} {finding.text}")
        _print_mend(progress, finding.mend)
    return [finding for _, finding in found]


def _print_mend(progress: Progress, mend: Iterable[str]) -> None:
    for command in mend:
        progress.plain(f"  {'':<{VERDICT}} {'':<{CHECK}}   {command}")


def _print_summary(progress: Progress, found: list[Finding]) -> None:
    count = {verdict: sum(finding.verdict is verdict for finding in found) for verdict in Verdict}
    if count[Verdict.FAILS]:
        progress.plain(f"`pulumi up` would fail: {count[Verdict.FAILS]} of {len(found)} answers say so")
    elif count[Verdict.UNKNOWN]:
        progress.plain(
            f"nothing is known to fail, but {count[Verdict.UNKNOWN]} of {len(found)} questions have no answer"
        )
    else:
        progress.plain(f"ready: nothing of {len(found)} answers says that `pulumi up` would fail")


def _offline(progress: Progress, cloud: Cloud, declared: Iterable[Declared]) -> int:
    for line in quota_lines(cloud, declared):
        progress.plain(line)
    return COULD_NOT_ASK
