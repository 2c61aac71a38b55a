"""What a stack would create, without any account: the tree, and the platform's limits."""

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
from localcloud.engine.stack_file import ROOT, StackFile


def main(progress: Progress, stack: str, state: Path) -> int:
    """Print the tree and the limits of a stack, and write its graph to `<state>/graph-<stack>.json`.

    Raises `pulumi.RunError` for whatever would stop a deployment before its first resource.
    """
    file = StackFile.read(stack)
    recorder = Recorder()
    with progress.step("evaluate") as step:
        step.say("building the functions' archives")
        outputs = evaluate(file, recorder, ROOT / "infra", dry_run=True)
        made = [one for one in recorder.declared if one.custom]
        components = len(recorder.declared) - len(made)
        step.text = f"{len(made)} resources in {components} components"
    path = state / f"graph-{stack}.json"
    graph.write(path, file, recorder.declared, outputs)
    progress.console.print(graph.tree(f"{file.project} {stack}", recorder.declared))
    for line in _limits(file):
        progress.plain(line)
    progress.line("graph", _short(path))
    return 0


def _limits(stack: StackFile) -> list[str]:
    found = json.loads(stack.get(f"{stack.project}:settings", "null"))
    settings = Settings.parse(found, where=f"Pulumi.{stack.name}.yaml")
    cloud = find(settings.cloud)
    built = archives(FUNCTIONS, cloud=cloud, platform=target(settings.runtime), models=settings.models)
    verdicts = limits.verdicts(settings, built)
    width = max(len(verdict.where) for verdict in verdicts)
    kept = sum(verdict.passed for verdict in verdicts)
    table = limits.LIMITS[settings.cloud]
    return [
        f"limits of {settings.cloud}, as read on {table.read_on}: {kept} of {len(verdicts)} kept",
        *(
            f"  {'ok' if one.passed else 'BROKEN':<7} {one.where:<{width}}  {one.shown:>12} {one.what}, {one.bound}"
            for one in verdicts
        ),
        *(f"  source  {source}" for source in table.sources),
        *_not_deployable(cloud),
    ]


def _not_deployable(cloud: Cloud) -> list[str]:
    if cloud.tier.includes(Tier.DEPLOYABLE):
        return []
    return [f"{cloud.name} is of tier {cloud.tier.value}: it cannot be deployed, and its functions' archives are empty"]


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
