"""A preview without an account: the resources that a stack would create, and the platform's limits."""

from __future__ import annotations

import json
from pathlib import Path

from infra import limits
from infra.bundle import archives
from infra.clouds import find
from infra.function_table import FUNCTIONS
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
    """Print the resources and the limits of a stack, and write its graph to `<state>/graph-<stack>.json`.

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
    for line in _limits(file):
        progress.plain(line)
    progress.line("graph", _short(path))
    return 0


def _limits(stack: StackFile) -> list[str]:
    document = json.loads(stack.get(SETTINGS, "null"))
    settings = Settings.parse(document, where=f"Pulumi.{stack.name}.yaml")
    cloud = find(settings.cloud)
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


def _not_deployable(cloud: Cloud) -> list[str]:
    if cloud.tier.includes(Tier.DEPLOYABLE):
        return []
    return [f"{cloud.name} is of tier {cloud.tier.value}: it cannot be deployed, and its functions' archives are empty"]


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
