"""A load test: requests of every kind and jobs, while two trained versions swap and a worker is killed.

It compares every answer, and looks at what each process of the stack holds meanwhile.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from infra.settings import KEY, Settings
from localcloud.commands import demo_example, demo_files
from localcloud.commands.client import Outcomes
from localcloud.commands.demo import Demo
from localcloud.commands.embedded import require_embedded
from localcloud.commands.holdings import Kind, complaints, of_stack
from localcloud.commands.job_load import JobLoad
from localcloud.commands.mixed_load import MixedLoad, questions
from localcloud.commands.progress import Progress
from localcloud.commands.swaps import Figures, Load, Swaps
from localcloud.engine.stack import LocalStack


def main(progress: Progress, stack: str, state: Path, seconds: int, clients: int) -> int:
    """Train two versions, swap them under load, print the figures, and return 0.

    Raises `DemoFailed`, which says where to look, for a wrong answer, for a failed request without a Retry-After, for
    a job that does not answer each row once, for a process of ours that holds more and more, and when no worker was
    killed or the two versions never differed. Raises `CloudFailed` when training fails.
    """
    require_embedded(stack)
    with LocalStack(stack, state=state) as local:
        demo = Demo(local, progress, demo_example.breast_cancer(), (demo_files.MODEL,))
        demo.two_versions()
        demo_files.live(demo)
        soak = Soak(demo, clients)
        soak.run(seconds)
        soak.report(progress)
        if not soak.convincing:
            raise demo.failed("the soak has failed: see above")
    return 0


class Soak:
    """The loads on a stack with two versions of a model, and a look at its processes.

    Half of the clients ask for one model's predictions, which are compared across its versions, and half ask for
    everything that the API answers.
    """

    def __init__(self, demo: Demo, clients: int) -> None:
        local, live = demo.stack, demo.watch.live()
        settings = Settings.parse(json.loads(local.file.get(KEY, "{}")), where=f"Pulumi.{local.file.name}.yaml")
        mixed = max(clients // 2, 1)
        self._demo = demo
        self._swaps = Swaps(
            local,
            demo.model,
            demo.cases,
            (live["champion"], live["previous"]),
            pointer_seconds=settings.pointer_seconds,
            load=Load(clients=max(clients - mixed, 1)),
        )
        asked = questions(demo.model, demo.cases, demo_files.MODEL)
        self._mixed = MixedLoad(urlsplit(local.outputs["endpoint"]).netloc, asked, clients=mixed)
        self._jobs = JobLoad(local, demo.model, demo.cases, known=self._swaps.predictions)
        self._figures = Figures()
        self._kinds: list[Kind] = []

    @property
    def convincing(self) -> bool:
        """Whether every load is, and no process of ours holds more and more."""
        return all(one.convincing for one in (self._figures, self._mixed, self._jobs)) and not self._grown

    @property
    def _grown(self) -> list[str]:
        return complaints(self._kinds, of_others=self._demo.stack.cloud.emulator)

    def run(self, seconds: float) -> None:
        """Run every load for some seconds; a busy machine takes longer."""
        with self._demo.step("load") as step:
            step.say(f"{seconds:g} s")
            with of_stack(self._demo.stack) as holdings, self._mixed, self._jobs:
                self._figures = self._swaps.run(seconds)
            step.text = f"{self._figures.swaps} swaps, {self._figures.killed} worker killed"
        self._kinds = holdings.kinds

    def report(self, progress: Progress) -> None:
        """Print what the clients saw, and what the processes hold."""
        _print_swaps(progress, self._figures)
        mixed, jobs = self._mixed.figures, self._jobs.figures
        progress.line("mixed", f"{mixed.answers.total()} answers to {len(mixed.answers)} questions")
        _print_outcomes(progress, mixed)
        for wrong in mixed.wrong:
            progress.line("wrong", wrong)
        progress.line("jobs", f"{jobs.done} done, the longest in {jobs.longest_seconds:.1f} s")
        _print_outcomes(progress, jobs)
        if not self._kinds:
            progress.line("held", "not known: only Linux tells what a process holds")
        for kind in self._kinds:
            progress.line("held by" if kind is self._kinds[0] else "", f"{kind.name}: {kind.text}")
        progress.line("", f"{self._demo.stack.cloud.emulator} is not judged: it keeps every object and line of log")
        for complaint in self._grown:
            progress.line("grown", complaint)


def _print_swaps(progress: Progress, figures: Figures) -> None:
    answers = ", ".join(f"{count} by {version}" for version, count in figures.answers.most_common())
    progress.line("answers", answers)
    progress.line(
        "compared", f"{figures.distinct} cases about which the two differ; {len(figures.wrong)} wrong answers"
    )
    _print_outcomes(progress, figures)
    progress.line("followed", f"within {figures.followed_seconds:.1f} s of the pointer's change, at most")
    if figures.milliseconds:
        median, high, longest = (figures.slowest(share) for share in (0.5, 0.99, 1.0))
        progress.line("latency", f"median {median:.0f} ms, 99 % within {high:.0f} ms, longest {longest:.0f} ms")
    for wrong in figures.wrong[:3]:
        progress.line("wrong", wrong)


def _print_outcomes(progress: Progress, outcomes: Outcomes) -> None:
    refused = ", ".join(f"{count} of {status}" for status, count in sorted(outcomes.refused.items())) or "none"
    failed = f"{outcomes.failed.total()} {dict(outcomes.failed) or ''}".rstrip()
    progress.line("", f"failed {failed}; to come again {refused}; repeated, their copy gone, {outcomes.repeated}")
