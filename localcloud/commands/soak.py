"""Two trained versions that swap for a minute under load, with a worker killed: what their clients see."""

from __future__ import annotations

import json
from pathlib import Path

from infra.settings import KEY, Settings
from localcloud.commands.demo import MODEL, Demo
from localcloud.commands.embedded import require_embedded
from localcloud.commands.progress import Progress
from localcloud.commands.swaps import Figures, Swaps
from localcloud.engine.stack import LocalStack


def main(progress: Progress, stack: str, state: Path, seconds: int, clients: int) -> int:
    """0 only if no client got a wrong answer, and none got no answer without being told when to come again.

    1, too, if nobody was killed, or nothing could have gone wrong. Raises `CloudFailed` when it does not come to that.
    """
    require_embedded(stack)
    with LocalStack(stack, state=state) as local:
        demo = Demo(local, progress)
        demo.two_versions()
        live = demo.watch.live()
        with demo.step("swaps") as step:
            step.say(f"{clients} clients, {seconds} s")
            two = live["champion"], live["previous"]
            settings = Settings.parse(json.loads(local.file.get(KEY, "{}")), where=f"Pulumi.{stack}.yaml")
            swaps = Swaps(local, MODEL, demo.cases, two, pointer_seconds=settings.pointer_seconds, clients=clients)
            found = swaps.run(seconds)
            step.text = f"{found.answers.total()} answers, {found.swaps} swaps, {found.killed} worker killed"
        _tell(progress, found)
    return 0 if found.convincing else 1


def _tell(progress: Progress, found: Figures) -> None:
    answers = ", ".join(f"{count} by {version}" for version, count in found.answers.most_common())
    progress.line("answers", answers)
    progress.line("compared", f"{found.distinct} cases about which the two differ; {len(found.wrong)} wrong answers")
    refused = ", ".join(f"{count} of {status}" for status, count in sorted(found.refused.items())) or "none"
    progress.line("failed", f"{found.failed.total()} {dict(found.failed) or ''}".rstrip())
    progress.line("refused", f"{refused} (with when to come again)")
    progress.line("repeated", f"{found.repeated} (their copy was gone)")
    progress.line("followed", f"within {found.followed_seconds:.1f} s of the pointer's change, at most")
    if found.milliseconds:
        half, most, worst = (found.slowest(share) for share in (0.5, 0.99, 1.0))
        progress.line("latency", f"median {half:.0f} ms, 99 % within {most:.0f} ms, longest {worst:.0f} ms")
    for wrong in found.wrong[:3]:
        progress.line("wrong", wrong)
