"""The truths of what was asked again: who was right, the version or the champion of then, on the same rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from functions.core.registry.truths import Truths
from functions.core.release.labelled_pairs import Pairs
from functions.core.release.release_truths import usual_error
from functions.core.watching.labelled import KEPT, Labelled
from functions.core.watching.quality import LEAST, Quality
from models.catalogue import labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from functions.core.registry.truths import Row, Told
    from functions.core.release.labelled_pairs import LabelledPairs
    from functions.core.release.outcomes import Outcomes
    from functions.core.watching.answered import Answered
    from models.bring_your_own import BringYourOwn
    from models.contract import Contract
    from models.labels import Labels
    from models.section import RolloutThresholds
    from sml.rehearsal import Rehearsal
    from sml.stack import Stack

Card = dict[str, Any]


@dataclass(kw_only=True)
class RehearsedTruths:
    """The truths of a rehearsal that are due, each the last one that came in time, as in a release."""

    rehearsal: Rehearsal
    labels: Labels
    rules: RolloutThresholds
    answered: Answered
    card: Callable[[str], Card]
    pairs: Pairs
    not_due: int
    """Requests whose time is not over."""
    unknown: int = 0
    """Truths that name no request that was asked and is due."""

    def read(self, truths: Iterator[tuple[Row, Told]]) -> None:
        """Hold the truths of the requests that were asked."""
        self.unknown = self.pairs.read(truths)

    def counted(self, outcomes: Outcomes) -> Outcomes:
        """Return outcomes with what the truths say."""
        return outcomes.with_truths(self.labelled, outcomes.until)

    @cached_property
    def labelled(self) -> LabelledPairs:
        """What the truths say of the pairs of answers."""
        return self.pairs.labelled(self.rules, lambda version: usual_error(self.card(version)))

    @cached_property
    def quality(self) -> list[dict[str, Any]]:
        """The metrics of the version and of each champion of then, on the newest rows that this one answered."""
        numbers = {id(one): both for one, both in zip(self.rehearsal.records, self.rehearsal.numbers, strict=True)}
        ours: dict[str, list[Labelled]] = defaultdict(list)
        theirs: dict[str, list[Labelled]] = defaultdict(list)
        for record in self.rehearsal.records:
            champion, both = record["champion"]["version"], numbers[id(record)]
            for place, truth in self.pairs.told(record):
                if place < min(map(len, both)):
                    for found, one, version in zip((ours, theirs), both, (record["version"], champion), strict=True):
                        found[champion].append(Labelled(record["time"], version, *one[place], truth))
        return [self._of(champion, ours[champion][-KEPT:], theirs[champion][-KEPT:]) for champion in ours]

    def _of(self, champion: str, ours: list[Labelled], theirs: list[Labelled]) -> dict[str, Any]:
        metrics, why = self._metrics(self.rehearsal.version, ours)
        before, other_why = self._metrics(champion, theirs)
        named = [name for name in metrics if name in before]
        return {
            "champion": champion,
            "rows": len(ours),
            "undefined": why or other_why,
            "metrics": {
                name: {
                    "candidate": metrics[name]["value"],
                    "interval": metrics[name]["interval"],
                    "champion": before[name]["value"],
                    "champion_interval": before[name]["interval"],
                }
                for name in named
            },
        }

    def _metrics(self, version: str, rows: list[Labelled]) -> tuple[dict[str, Any], str]:
        """Return the metrics of a version on some rows; and why there are none, or not all."""
        card = self.card(version)
        if wrong := self.answered.why_not_comparable(card):
            return {}, f"truths of now are not of the kind of {version[:6]}: {wrong}"
        return Quality(answered=self.answered, version=version, card=card).metrics(rows)

    def lines(self) -> Iterator[str]:
        """Yield what is to be known of the truths, a sentence each."""
        labelled = self.labelled
        if not labelled.count:
            yield "no truth has come in time of a request that was asked: errors, agreement and latency are judged"
        if self.not_due:
            minutes = self.labels.horizon_minutes
            horizon = f"horizon_days {self.labels.horizon_days}" if minutes is None else f"horizon_minutes {minutes}"
            yield (
                f"{self.not_due:,} requests are not due: their truths may still come (labels.{horizon});"
                " --days reaches farther back"
            )
        if self.unknown:
            yield f"{self.unknown:,} truths name no request that was asked and is due"
        if labelled.early:
            yield f"{labelled.early:,} truths came before their requests: a clock is off, or a key is in use again"
        if labelled.one_class:
            yield f"all truths are of the class {labelled.one_class}, which speaks for no version"
        for one in self.quality:
            if one["rows"] < LEAST:
                yield f"{one['rows']} labelled rows of {one['champion'][:6]}'s: too few to tell, {LEAST} are the least"
            if one["undefined"]:
                yield f"not measured beside {one['champion'][:6]}: {one['undefined']}"

    def document(self) -> dict[str, Any]:
        """Return what truths came and what they say, as JSON values."""
        labelled = self.labelled
        facts = {"labelled": labelled.count, "worse": labelled.worse, "better": labelled.better}
        aside = {"not_due": self.not_due, "unknown": self.unknown, "early": labelled.early}
        return {**facts, **aside, "one_class": labelled.one_class, "quality": self.quality}


def truths_of(
    stack: Stack,
    contract: Contract | BringYourOwn,
    answered: Answered | None,
    rehearsal: Rehearsal,
    card: Callable[[str], Card],
    now: float,
) -> RehearsedTruths | None:
    """Return the truths of a rehearsal; None where the contract says nothing of any. `now` is since the epoch."""
    labels = labels_of(contract)
    if labels is None or answered is None:
        return None
    due = labels.due_before(now)
    written = [(at, record) for at, record in rehearsal.written if record["time"] < due]
    found = RehearsedTruths(
        rehearsal=rehearsal,
        labels=labels,
        rules=contract.rollout,
        answered=answered,
        card=card,
        pairs=Pairs(written, labels.due_at, most=None),
        not_due=len(rehearsal.records) - len(written),
    )
    if found.pairs:
        found.read(Truths(stack.captures, rehearsal.model).of(_days(rehearsal.first, now)))
    return found


def metrics_shown(quality: Sequence[Mapping[str, Any]], measure: str) -> list[dict[str, Any]]:
    """Return a line for each metric beside each champion, the one that the gate asks for first."""
    return [
        {"beside": one["champion"][:6], "rows": one["rows"], "metric": name, **one["metrics"][name]}
        for one in quality
        for name in sorted(one["metrics"], key=lambda name: (name != measure, name))
    ]


def _days(first: str, now: float) -> Iterator[str]:
    """Yield the days from the one before a day to that of a moment."""
    day, last = date.fromisoformat(first) - timedelta(days=1), datetime.fromtimestamp(now, UTC).date()
    while day <= last:
        yield f"{day}"
        day += timedelta(days=1)
