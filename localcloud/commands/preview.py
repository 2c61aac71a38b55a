"""A preview without an account: what a stack would create, what it may, and what it costs and emits."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from infra import bring_your_own, limits, trainers
from infra.bundle import archives, remarks
from infra.clouds import find, names
from infra.settings import Settings
from infra.target import target
from infra.tier import Tier
from infra.vocabulary import Cloud
from localcloud.commands import finished_models, graph
from localcloud.commands.estimate import priced
from localcloud.commands.estimate_lines import lines
from localcloud.commands.preview_document import Preview
from localcloud.commands.progress import Progress
from localcloud.commands.quotas import quota_lines
from localcloud.engine.stack_file import SETTINGS, StackFile


def main(progress: Progress, stack: str, state: Path) -> int:
    """Print the resources of a stack, its limits, its quotas, and what it costs and emits.

    Write its graph to `<state>/graph-<stack>.json`, the estimate to `<state>/estimate-<stack>.json`, and the rest to
    `<state>/preview-<stack>.json`. Raise `pulumi.RunError` for a program or settings that could not be deployed, and
    for a finished model that admission would refuse.
    """
    return show(progress, StackFile.read(stack), state)


def show(progress: Progress, stated: StackFile, state: Path) -> int:
    """Preview a stack as its file states it: `main` says what is printed and written."""
    stack = stated.name
    missing = absent(stated)
    file = replace(stated, config={**stated.config, **{key: f"<{key}>" for key in missing}})
    declared, outputs = graph.declare(progress, file)
    settings = Settings.parse(json.loads(file.get(SETTINGS, "null")), where=f"Pulumi.{file.name}.yaml")
    finished_models.examine(progress, list(bring_your_own.models(settings.models)))
    path = state / f"graph-{stack}.json"
    graph.write(path, file, declared, outputs)
    progress.console.print(graph.tree(f"{file.project} {stack}", declared))
    progress.line("graph", _short(path))
    cloud = find(settings.cloud)
    platform = target(settings.runtime)
    built = archives(trainers.deployed(settings), cloud=cloud, platform=platform, models=settings.models)
    preview = Preview(
        stack=stated,
        cloud=cloud.name,
        limits=limits.LIMITS[settings.cloud],
        verdicts=limits.verdicts(settings, built),
        archives=built,
        wants=None if cloud.quotas is None else cloud.quotas(declared),
        missing=missing,
    )
    preview.write(state / f"preview-{stack}.json")
    found = priced(json.loads(path.read_text(encoding="utf-8")))
    whole = state / f"estimate-{stack}.json"
    whole.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    progress.line("estimate", _short(whole))
    more = (*remarks(built, cloud, platform), *_not_deployable(cloud), *quota_lines(cloud, declared), *lines(found))
    for line in (*schedule_lines(settings), *_limits(preview), *more):
        progress.plain(line)
    for key in missing:
        progress.plain(f"Pulumi.{stack}.yaml: {key} is missing: this preview does without it, `pulumi up` does not")
    return 0


def absent(file: StackFile) -> list[str]:
    """Return the keys of the configuration that nobody has stated, and that only a deployment needs."""
    if file.cloud not in names():
        return []
    stand_ins = find(file.cloud).stand_ins
    return [
        key for key, variables in stand_ins.items() if not (file.get(key, "") or any(map(os.environ.get, variables)))
    ]


def schedule_lines(settings: Settings) -> list[str]:
    """Say when a training begins that the schedule starts; nothing where it begins at once."""
    training = settings.training
    return [] if training.window is None else [f"trainings of the schedule {training.schedule} UTC: {training.window}"]


def _limits(preview: Preview) -> list[str]:
    verdicts, table = preview.verdicts, preview.limits
    width = max(len(verdict.where) for verdict in verdicts)
    passed = sum(verdict.passed for verdict in verdicts)
    rows = (
        f"  {'ok' if verdict.passed else 'BROKEN':<7} {verdict.where:<{width}}  "
        f"{verdict.shown:>12} {verdict.what}, {verdict.bound}"
        for verdict in verdicts
    )
    return [
        f"limits of {preview.cloud}, as read on {table.read_on}: {passed} of {len(verdicts)} kept",
        *rows,
        *(f"  source  {source}" for source in table.sources),
    ]


def _not_deployable(cloud: Cloud) -> list[str]:
    if cloud.tier.includes(Tier.DEPLOYABLE):
        return []
    return [f"{cloud.name} is of tier {cloud.tier.value}: it cannot be deployed, and its functions' archives are empty"]


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
