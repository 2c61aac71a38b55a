"""A load test: two trained versions swap for a minute while clients send requests and a worker is killed."""

from __future__ import annotations

import json
from pathlib import Path

from infra.settings import KEY, Settings
from localcloud.commands.demo import MODEL, Demo
from localcloud.commands.embedded import require_embedded
from localcloud.commands.progress import Progress
from localcloud.commands.swaps import Figures, Load, Swaps
from localcloud.engine.stack import LocalStack


def main(progress: Progress, stack: str, state: Path, seconds: int, clients: int) -> int:
    """Train two versions, swap them under load, print the figures, and return 0 if they are convincing.

    Return 1 for a wrong answer, for a failed request without a Retry-After, and when no worker was
    killed or the two versions never differed. Raises `CloudFailed` when training fails.
    """
    require_embedded(stack)
    with LocalStack(stack, state=state) as local:
        demo = Demo(local, progress)
        demo.two_versions()
        live = demo.watch.live()
        with demo.step("swaps") as step:
            step.say(f"{clients} clients, {seconds} s")
            versions = live["champion"], live["previous"]
            settings = Settings.parse(json.loads(local.file.get(KEY, "{}")), where=f"Pulumi.{stack}.yaml")
            load = Load(clients=clients)
            swaps = Swaps(local, MODEL, demo.cases, versions, pointer_seconds=settings.pointer_seconds, load=load)
            figures = swaps.run(seconds)
            step.text = f"{figures.answers.total()} answers, {figures.swaps} swaps, {figures.killed} worker killed"
        _print(progress, figures)
    return 0 if figures.convincing else 1


def _print(progress: Progress, figures: Figures) -> None:
    answers = ", ".join(f"{count} by {version}" for version, count in figures.answers.most_common())
    progress.line("answers", answers)
    progress.line(
        "compared", f"{figures.distinct} cases about which the two differ; {len(figures.wrong)} wrong answers"
    )
    refused = ", ".join(f"{count} of {status}" for status, count in sorted(figures.refused.items())) or "none"
    progress.line("failed", f"{figures.failed.total()} {dict(figures.failed) or ''}".rstrip())
    progress.line("refused", f"{refused} (with when to come again)")
    progress.line("repeated", f"{figures.repeated} (their copy was gone)")
    progress.line("followed", f"within {figures.followed_seconds:.1f} s of the pointer's change, at most")
    if figures.milliseconds:
        median, high, longest = (figures.slowest(share) for share in (0.5, 0.99, 1.0))
        progress.line("latency", f"median {median:.0f} ms, 99 % within {high:.0f} ms, longest {longest:.0f} ms")
    for wrong in figures.wrong[:3]:
        progress.line("wrong", wrong)
