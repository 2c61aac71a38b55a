"""A preview without an account: what a stack would create, the platform's limits, and the quotas that it needs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from infra import limits
from infra.bundle import archives
from infra.clouds import find
from infra.function_table import FUNCTIONS
from infra.quotas import Declared, Want, beyond
from infra.settings import Settings
from infra.target import target
from infra.tier import Tier
from infra.vocabulary import Cloud
from localcloud.commands import graph
from localcloud.commands.progress import Progress
from localcloud.engine.program import evaluate
from localcloud.engine.recorder import Recorder
from localcloud.engine.stack_file import ROOT, SETTINGS, StackFile


def main(progress: Progress, stack: str, state: Path) -> int:
    """Print the resources, the limits and the quotas of a stack, and write its graph to `<state>/graph-<stack>.json`.

    Raises `pulumi.RunError` for a program or settings that could not be deployed.
    """
    file = StackFile.read(stack)
    recorder = Recorder()
    with progress.step("evaluate") as step:
        step.say("building the functions' archives")
        outputs = evaluate(file, recorder, ROOT / "infra", dry_run=True)
        resources = [resource for resource in recorder.declared if resource.custom]
        components = len(recorder.declared) - len(resources)
        step.text = f"{len(resources)} resources in {components} components"
    path = state / f"graph-{stack}.json"
    graph.write(path, file, recorder.declared, outputs)
    progress.console.print(graph.tree(f"{file.project} {stack}", recorder.declared))
    progress.line("graph", _short(path))
    settings = Settings.parse(json.loads(file.get(SETTINGS, "null")), where=f"Pulumi.{file.name}.yaml")
    cloud = find(settings.cloud)
    for line in (*_limits(settings, cloud), *_quotas(cloud, recorder.declared)):
        progress.plain(line)
    return 0


def _limits(settings: Settings, cloud: Cloud) -> list[str]:
    built = archives(FUNCTIONS, cloud=cloud, platform=target(settings.runtime), models=settings.models)
    verdicts = limits.verdicts(settings, built)
    width = max(len(verdict.where) for verdict in verdicts)
    passed = sum(verdict.passed for verdict in verdicts)
    table = limits.LIMITS[settings.cloud]
    rows = (
        f"  {'ok' if verdict.passed else 'BROKEN':<7} {verdict.where:<{width}}  "
        f"{verdict.shown:>12} {verdict.what}, {verdict.bound}"
        for verdict in verdicts
    )
    return [
        f"limits of {settings.cloud}, as read on {table.read_on}: {passed} of {len(verdicts)} kept",
        *rows,
        *(f"  source  {source}" for source in table.sources),
        *_not_deployable(cloud),
    ]


def _quotas(cloud: Cloud, graph: Iterable[Declared]) -> list[str]:
    """Return what an account needs that a new one does not have, or the one line that a new one suffices."""
    if cloud.quotas is None:
        return [f"what an account of {cloud.name} needs is not known: it states no quotas"]
    wants = cloud.quotas(graph)
    if not (needed := beyond(wants)):
        usual = (
            f"; {want.quota.shown(want.quota.usual)} {want.quota.unit}, as read on {want.quota.read_on}"
            for want in wants
        )
        return [f"quotas: a new account of {cloud.name} suffices{''.join(usual)}"]
    return [
        f"quotas: more than a new account of {cloud.name} has; ask for it before the first deployment",
        *(line for want in needed for line in _asked(want)),
    ]


def _asked(want: Want) -> list[str]:
    quota = want.quota
    of = ", ".join(part for part in (quota.service, quota.code) if part)
    known = f"read on {quota.read_on}" + ("" if quota.certain else " in what others were refused")
    usual = f"{quota.shown(quota.usual)} usual ({known})"
    return [
        f"  ASK     {quota.name} ({of}): {quota.shown(want.wanted)} {quota.unit} wanted,"
        f" {quota.shown(want.to_deploy)} to deploy at all, {usual}",
        f"  where   {quota.ask}",
        f"  or less {quota.settings}",
        *(f"  source  {source}" for source in quota.sources),
    ]


def _not_deployable(cloud: Cloud) -> list[str]:
    if cloud.tier.includes(Tier.DEPLOYABLE):
        return []
    return [f"{cloud.name} is of tier {cloud.tier.value}: it cannot be deployed, and its functions' archives are empty"]


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
