"""The report on one stack, composed of what both sides' documents tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sml.review.cost import Cost
from sml.review.difference import Difference, Graph
from sml.review.documents import ABSENT, FAILED, MADE, SAME, Documents, Review
from sml.review.figures import Figures
from sml.review.report import Line, Report, Section, Words, counted
from sml.review.resources import resource_sections

NOTHING: Final = Documents(graph=Graph(resources={}))
"""What a commit declares that has no such stack."""
NEVER_KNOWN: Final = (
    Words("What the engine makes of a change, and what a deployed stack holds: nobody asked a state or an account."),
    Words("Values that only the cloud knows: they stand as <code>&lt;name.property&gt;</code>, and count as alike."),
    Words("What files hold: they are compared by their digests."),
    Words("A resource under another name counts as removed and added, also where its program knows it as the same."),
)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Both sides of a stack."""

    base: Documents
    head: Documents
    alone: bool
    """Whether there is no base to compare with."""

    @property
    def difference(self) -> Difference:
        """The resources that differ."""
        return Difference.between(self.base.graph, self.head.graph)

    @property
    def cost(self) -> Cost:
        """What both cost and emit."""
        return Cost(base=self.base.estimate, head=self.head.estimate)

    @property
    def figures(self) -> Figures:
        """What else differs."""
        return Figures(base=self.base.preview, head=self.head.preview)


def compose(review: Review, stack: str, folder: Path) -> Report:
    """Return the report on a stack of a review whose documents are in a folder. Raise `Mistake` for damaged ones."""
    base, head = review.stacks[stack]
    if SAME in (base.state, head.state):
        return _unchanged(review, stack)
    if head.state == FAILED:
        first = (Words("the head does not build: "), head.said)
        return Report(stack=stack, first=first, changed=True, footer=_footer(review, NOTHING))
    compared = Compared(
        base=Documents.read(folder / "base", stack) if base.state == MADE else NOTHING,
        head=Documents.read(folder / "head", stack) if head.state == MADE else NOTHING,
        alone=base.state == FAILED,
    )
    if base.state == FAILED:
        return _alone(review, stack, compared, base.said)
    difference, figures = compared.difference, compared.figures
    if base.state == head.state and difference.empty and not figures.differ and not compared.cost.differ:
        return _unchanged(review, stack)
    return Report(
        stack=stack,
        first=_joined(_first(compared, difference, base.state, head.state)),
        changed=True,
        sections=(
            *_moved(figures),
            *figures.settings(),
            *resource_sections(difference),
            *_costs(compared, head.state),
            *figures.sections(),
            _not_analysed(compared),
        ),
        footer=_footer(review, compared.head),
    )


def _first(compared: Compared, difference: Difference, base: str, head: str) -> Iterator[Line]:
    if base == ABSENT:
        yield (Words("a new stack"),)
    if head == ABSENT:
        yield (Words("its file is gone, and what is deployed stays until somebody destroys it"),)
    for edit in compared.figures.moved:
        yield (edit.path, Words(" "), str(edit.before), Words(" -> "), str(edit.after))
    yield (Words(difference.totals),)
    if difference.lost:
        yield (Words(f"**{counted(len(difference.lost), 'removed resource')} with all that it holds**"),)
    if head == MADE:
        yield from compared.cost.first()
    for words in compared.figures.first():
        yield (words,)


def _alone(review: Review, stack: str, compared: Compared, said: str) -> Report:
    """Return what can be said where the base does not build: the head as it is."""
    resources = counted(len(compared.head.graph.resources), "resource")
    first = [(Words(f"the base does not build, so this is the head alone: {resources}"),)]
    return Report(
        stack=stack,
        first=_joined([*first, *compared.cost.first(), *((words,) for words in compared.figures.first())]),
        changed=True,
        sections=(
            Section(title=Words("What the base says"), lines=((said,),), folded=False),
            *_costs(compared, MADE),
            _not_analysed(compared),
        ),
        footer=_footer(review, compared.head),
    )


def _costs(compared: Compared, head: str) -> Iterator[Section]:
    if head == MADE:
        yield from compared.cost.sections()


def _unchanged(review: Review, stack: str) -> Report:
    return Report(stack=stack, first=(Words("no change at "), review.head), changed=False)


def _moved(figures: Figures) -> Iterator[Section]:
    for edit in figures.moved:
        yield Section(
            title=Words("The stack is somewhere else"),
            lines=(
                (
                    edit.path,
                    Words(" names another place. What is deployed in "),
                    str(edit.before),
                    Words(", and all that it holds, does not move with it."),
                ),
            ),
            folded=False,
            strong=True,
        )


def _not_analysed(compared: Compared) -> Section:
    def lines() -> Iterator[Line]:
        for side, documents in (("base", compared.base), ("head", compared.head)):
            if documents.graph.resources and not documents.preview:
                yield (Words(f"Settings, limits, archives and quotas of the {side}: its program does not tell them."),)
        for key in compared.head.preview.get("missing", ()):
            yield (Words("The key "), str(key), Words(" is stated nowhere, and a deployment needs it."))
        yield from compared.cost.not_analysed()
        yield from ((words,) for words in NEVER_KNOWN)

    return Section(title=Words("Not analysed"), lines=tuple(lines()))


def _footer(review: Review, head: Documents) -> tuple[Line, ...]:
    read_on = (head.preview.get("limits") or {}).get("read_on")
    dates = (Words("; limits as read on "), str(read_on)) if read_on else ()
    cost = Cost(base={}, head=head.estimate)
    compared = (Words("base "), review.base, Words(", head "), review.head, *dates, *cost.dates())
    return (compared, *((note,) for note in review.notes))


def _joined(lines: Iterator[Line] | list[Line]) -> Line:
    """Return lines as one, with commas between them."""
    parts: list[str] = []
    for line in lines:
        parts += [*([Words(", ")] if parts else []), *line]
    return tuple(parts)
