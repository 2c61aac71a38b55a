"""The documents of a review, made from two commits: each commit's own program is asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sml.mistake import Mistake
from sml.review.documents import ABSENT, FAILED, MADE, SAME, SIDES, Review, Side
from sml.review.environment import python_for
from sml.review.history import Commit, History
from sml.review.pricing import write_comparable
from sml.review.stacks import chosen, concerned, stacks_in
from sml.review.tasks import Task, run

LOCAL: Final = Path(".local")
BUNDLES: Final = LOCAL / "bundles"
"""The folder of built archives: both sides share it, and build what they have in common once."""
ENVIRONMENTS: Final = LOCAL / "review"
PROGRAM: Final = "localcloud"
ESTIMATE: Final = Path(PROGRAM, "commands", "estimate.py")


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """The files of one side, and what runs its program."""

    side: str
    root: Path
    stacks: frozenset[str]
    python: Path | None
    failure: str = ""
    """Why there is no interpreter for it."""


@dataclass(frozen=True, kw_only=True)
class Making:
    """What is compared, and where."""

    root: Path
    """The project's folder."""
    documents: Path
    """Where the documents go; it is made."""
    say: Callable[[str], object]
    """Takes a line about what goes on."""

    def make(self, base_revision: str, head_revision: str | None, named: Sequence[str]) -> Review:
        """Preview both commits, and write what they say; without a head, the files as they are here are one.

        Nothing of the repository is written, and the checkouts go away however this ends. Raise `Mistake` for
        revisions and stacks that are not there.
        """
        history = History(self.root)
        base = history.commit(base_revision)
        head = history.working_tree() if head_revision is None else history.commit(head_revision)
        with TemporaryDirectory(prefix="sml-review-") as folder:
            checkouts = [
                self._checkout(history, side, commit, Path(folder).resolve() / side)
                for side, commit in zip(SIDES, (base, head), strict=True)
            ]
            stacks = chosen(named, *(checkout.stacks for checkout in checkouts))
            changed = history.changed(base, head)
            asked = [stack for stack in stacks if concerned(stack, changed)]
            failures = self._preview(checkouts, asked)
            notes = [*_notes(history, base, head), *self._estimate(checkouts, asked, failures, Path(folder))]
        review = Review(
            base=base.said,
            head=head.said,
            notes=tuple(notes),
            stacks={
                stack: (_side(checkouts[0], stack, asked, failures), _side(checkouts[1], stack, asked, failures))
                for stack in stacks
            },
        )
        review.write(self.documents)
        return review

    def _checkout(self, history: History, side: str, commit: Commit, folder: Path) -> Checkout:
        root = self.root if commit.here else history.write(commit, folder)
        if not commit.here:
            bundles = self.root / BUNDLES
            bundles.mkdir(parents=True, exist_ok=True)
            (root / LOCAL).mkdir(exist_ok=True)
            (root / BUNDLES).symlink_to(bundles)
        (self.documents / side).mkdir(parents=True, exist_ok=True)
        python, failure = None, ""
        try:
            python = python_for(
                root, self.root, self.root / ENVIRONMENTS, lambda line: self.say(f"{side} {commit.said}: {line}")
            )
        except Mistake as problem:
            failure = str(problem)
        return Checkout(side=side, root=root, stacks=frozenset(stacks_in(root)), python=python, failure=failure)

    def _preview(self, checkouts: Sequence[Checkout], asked: Sequence[str]) -> dict[str, str]:
        self._forget(checkouts, asked, "graph", "preview", "estimate")
        tasks = [
            self._task(checkout, stack, "preview", "--stack", stack, "--state", str(self.documents / checkout.side))
            for stack in asked
            for checkout in checkouts
            if checkout.python and stack in checkout.stacks
        ]
        return run(tasks, lambda name: self.say(f"previewing {name}"))

    def _estimate(
        self, checkouts: Sequence[Checkout], asked: Sequence[str], failures: Mapping[str, str], scratch: Path
    ) -> Iterator[str]:
        """Have the head's program price both graphs: by the same tariffs, and the same assumptions."""
        base, head = checkouts
        self._forget(checkouts, asked, "estimate")
        if head.python is None or not (head.root / ESTIMATE).is_file():
            return
        made = {
            (checkout.side, stack): graph
            for stack in asked
            for checkout in checkouts
            if _name(checkout, stack) not in failures
            if (graph := self._made(checkout, "graph", stack)).is_file()
        }
        for stack in asked:
            if graph := made.get((base.side, stack)):
                comparable = scratch / graph.name
                write_comparable(graph, made.get((head.side, stack)), base.root, stack, comparable)
                made[base.side, stack] = comparable
        tasks = [
            self._task(
                checkout,
                stack,
                "estimate",
                str(made[checkout.side, stack]),
                "--json",
                by=head,
                output=self._made(checkout, "estimate", stack),
            )
            for stack in asked
            for checkout in checkouts
            if (checkout.side, stack) in made
        ]
        unpriced = run(tasks, lambda name: self.say(f"estimating {name}"))
        for task in tasks:
            if task.name in unpriced and task.output is not None:
                task.output.unlink(missing_ok=True)
                yield f"{task.name} could not be estimated: {unpriced[task.name]}"

    def _forget(self, checkouts: Sequence[Checkout], asked: Sequence[str], *kinds: str) -> None:
        """Delete documents of these kinds: an earlier review made them, or a program that is not the head's."""
        for kind, checkout, stack in itertools.product(kinds, checkouts, asked):
            self._made(checkout, kind, stack).unlink(missing_ok=True)

    def _made(self, checkout: Checkout, kind: str, stack: str) -> Path:
        return self.documents / checkout.side / f"{kind}-{stack}.json"

    def _task(
        self,
        checkout: Checkout,
        stack: str,
        *arguments: str,
        by: Checkout | None = None,
        output: Path | None = None,
    ) -> Task:
        program = by or checkout
        if program.python is None:
            raise ValueError(f"no interpreter for {program.side}")
        return Task(
            name=_name(checkout, stack),
            root=program.root,
            python=program.python,
            module=PROGRAM,
            arguments=arguments,
            output=output,
        )


def _name(checkout: Checkout, stack: str) -> str:
    return f"{stack} of the {checkout.side}"


def _side(checkout: Checkout, stack: str, asked: Sequence[str], failures: Mapping[str, str]) -> Side:
    if stack not in checkout.stacks:
        return Side(state=ABSENT)
    if stack not in asked:
        return Side(state=SAME)
    said = checkout.failure or failures.get(_name(checkout, stack))
    return Side(state=MADE) if said is None else Side(state=FAILED, said=said)


def _notes(history: History, base: Commit, head: Commit) -> Iterator[str]:
    if not head.here and head.sha == history.commit("HEAD").sha and (edited := history.edited()):
        yield (
            f"{len(edited)} edited file{'s' * (len(edited) != 1)} of the working tree, such as {edited[0]}, "
            f"{'is' if len(edited) == 1 else 'are'} no part of this; leave HEAD out to compare the files as they are"
        )
    if not head.here and base.sha == head.sha:
        yield f"{base.said} was compared with itself"
    if parted := history.missed(base, head):
        yield f"the base has commits that the head lacks, and they count as undone; the two parted at {parted}"
