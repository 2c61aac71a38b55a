"""The live pointer of a model - champion, challenger, traffic split - and its few transitions.

Every transition is a pure function from a pointer to the next one, whose revision is one
higher. `functions.core.registry.live_pointer` writes them, one writer at a time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, Self

from models.light import dataclass, replace

Change = Literal["promoted", "shadow", "canary", "advanced", "rolled_back", "rebuilt", "approved", "rejected"]
DECIDED = frozenset({"approved", "rejected"})
"""What a person said of a version. No caller notices it."""
SHADOW = -1
"""The step of a release before its first: the challenger is asked, and no caller gets its answers."""
LONGEST = 100
"""Entries of the history that are kept."""
LONGEST_REASON = 2000
"""Characters of a reason that are kept."""


class NotPossible(Exception):
    """A transition that the pointer's state does not allow."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release under way: a challenger that rises step by step."""

    run: str
    version: str
    step: int
    """Position in the stack's canary steps, or `SHADOW`."""
    since: float
    """When the step began: seconds since the epoch."""
    bakes: int = 0
    """How often the step was prolonged."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One change that callers could notice, or a decision. `version` is the one that it is about."""

    revision: int
    event: Change
    version: str
    run: str | None
    at: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A version that waits for the release under way to end, or for a person's approval."""

    run: str
    version: str
    asked: float
    """When its execution last asked whether it has its turn, or asked for approval: seconds since the epoch."""
    arrived: str | None = None
    """When its data arrived, as a text that sorts; None where somebody asked for the version by name."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The newest data of which a version was ever put up, or promoted."""

    run: str
    arrived: str


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """What `live.json` holds."""

    revision: int = 0
    champion: str | None = None
    challenger: str | None = None
    weight: int = 0
    """Per cent of the callers who get the challenger."""
    shadow: int = 0
    """Per cent of the requests that the challenger is asked about without answering them."""
    previous: str | None = None
    """The champion before this one."""
    release: Release | None = None
    waiting: tuple[Turn, ...] = ()
    """Whose turn is next, the first one first. Of several with data, the newest is kept."""
    awaiting: tuple[Turn, ...] = ()
    """What waits for approval, the first one first. No execution works on it."""
    tried: Tried | None = None
    counted: dict[str, Any] | None = None
    """What the judge has counted of the release under way, in all of its steps."""
    history: tuple[Entry, ...] = ()
    """The newest last."""

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Self:
        """Read what `live.json` holds. Raise `LookupError`, `TypeError` or `AttributeError` for anything else."""
        release, tried = document["release"], document.get("tried")
        names = (document["champion"], document["challenger"], document["previous"])
        if not all(name is None or isinstance(name, str) for name in names):
            raise TypeError("the name of a version is a text")
        if not all(isinstance(number, int) for number in (document["revision"], document["weight"])):
            raise TypeError("revision and weight are whole numbers")
        return cls(
            revision=document["revision"],
            champion=document["champion"],
            challenger=document["challenger"],
            weight=document["weight"],
            shadow=document.get("shadow", 0),
            previous=document["previous"],
            release=None if release is None else Release(**release),
            waiting=tuple(Turn(**turn) for turn in document.get("waiting", ())),
            awaiting=tuple(Turn(**turn) for turn in document.get("awaiting", ())),
            tried=None if tried is None else Tried(**tried),
            counted=document.get("counted"),
            history=tuple(Entry(**entry) for entry in document["history"]),
        )

    def document(self) -> dict[str, Any]:
        from dataclasses import asdict  # noqa: PLC0415 - only a writer of pointers needs it

        return asdict(self)

    @property
    def is_new(self) -> bool:
        """Whether no version was ever live."""
        return self.champion is None and all(entry.event in DECIDED for entry in self.history)

    def last(self, run: str) -> Entry | None:
        """Return the newest change by a run that callers could notice; None where there is none."""
        return next(
            (entry for entry in reversed(self.history) if entry.run == run and entry.event not in DECIDED), None
        )

    def waits(self, run: str) -> bool:
        """Return whether a run waits for its turn."""
        return any(turn.run == run for turn in self.waiting)

    def awaits(self, run: str) -> bool:
        """Return whether a run waits for approval."""
        return any(turn.run == run for turn in self.awaiting)

    def superseder(self, turn: Turn, *, unapproved: bool = False) -> str | None:
        """Return the run whose data came after that of `turn`, and was tried or is to be; None where there is none.

        Of an `unapproved` one it may be a run that waits for approval, too.
        """
        if turn.arrived is None:
            return None
        known = (*self.waiting, *(self.awaiting if unapproved else ()), self.tried)
        others = [other for other in known if other and other.arrived and other.run != turn.run]
        newest = max(others, key=lambda other: other.arrived or "", default=None)
        return newest.run if newest is not None and (newest.arrived or "") > turn.arrived else None

    def superseded(self, turn: Turn) -> tuple[str, ...]:
        """Return the runs that wait for approval of the same version as `turn`, or of data that is no newer."""
        others = (other for other in self.awaiting if other.run != turn.run)
        return tuple(
            other.run
            for other in others
            if other.version == turn.version or (other.arrived and turn.arrived and other.arrived <= turn.arrived)
        )


def wait(pointer: Pointer, turn: Turn) -> Pointer:
    """Have a version wait for its turn, in order of arrival. Newer data takes the place of older data that waits."""
    older = {
        other.run
        for other in pointer.waiting
        if other.run == turn.run or (turn.arrived and other.arrived and other.arrived <= turn.arrived)
    }
    places = [place for place, other in enumerate(pointer.waiting) if other.run in older]
    place = places[0] if places else len(pointer.waiting)
    before, after = pointer.waiting[:place], pointer.waiting[place:]
    line = (*before, turn, *(other for other in after if other.run not in older))
    return replace(pointer, revision=pointer.revision + 1, waiting=line)


def leave(pointer: Pointer, *runs: str) -> Pointer:
    """Have runs no longer wait: neither for their turn nor for approval."""
    waiting = tuple(turn for turn in pointer.waiting if turn.run not in runs)
    awaiting = tuple(turn for turn in pointer.awaiting if turn.run not in runs)
    after = replace(pointer, waiting=waiting, awaiting=awaiting)
    return pointer if after == pointer else replace(after, revision=pointer.revision + 1)


def try_out(pointer: Pointer, turn: Turn) -> Pointer:
    """Note that it is the turn of a version: what it was made of counts as tried."""
    after = leave(pointer, turn.run)
    if turn.arrived is None or (after.tried is not None and after.tried.arrived >= turn.arrived):
        return after
    return replace(after, revision=after.revision + 1, tried=Tried(run=turn.run, arrived=turn.arrived))


def promote_first(pointer: Pointer, version: str, run: str, now: float) -> Pointer:
    """Make the first version of a model live at once: there is nothing to compare it with."""
    if pointer.champion is not None:
        raise NotPossible(f"{pointer.champion} is live already")
    return entered(
        replace(pointer, champion=version),
        "promoted",
        version,
        run,
        now,
        "the first version: nothing to compare it with",
    )


def begin(pointer: Pointer, version: str, run: str, weight: int, now: float) -> Pointer:
    """Put up a challenger, with `weight` per cent of the callers."""
    after = replace(_challenged(pointer, version, run, 0, now), weight=_per_cent(weight))
    return entered(after, "canary", version, run, now, f"{weight} % of the callers")


def begin_shadow(pointer: Pointer, version: str, run: str, share: int, now: float) -> Pointer:
    """Put up a challenger as a shadow: asked about `share` per cent of the requests, and no caller gets it."""
    if not 1 <= share <= 100:
        raise ValueError("a shadow is asked about 1 to 100 per cent of the requests")
    after = replace(_challenged(pointer, version, run, SHADOW, now), shadow=share)
    return entered(after, "shadow", version, run, now, f"asked about {share} % of the requests, as a shadow")


def advance(pointer: Pointer, weight: int, now: float, reason: str) -> Pointer:
    """Go on to the next step, whose share of the callers is `weight` per cent."""
    release = _active(pointer)
    after = replace(
        pointer,
        weight=_per_cent(weight),
        shadow=0,
        release=replace(release, step=release.step + 1, since=now, bakes=0),
    )
    return entered(after, "advanced", release.version, release.run, now, f"{weight} % of the callers: {reason}")


def bake_again(pointer: Pointer) -> Pointer:
    """Prolong the step by one bake. No caller notices, so the history has no entry of it."""
    release = _active(pointer)
    return replace(pointer, revision=pointer.revision + 1, release=replace(release, bakes=release.bakes + 1))


def promote(pointer: Pointer, now: float, reason: str) -> Pointer:
    """Make the challenger the champion."""
    release = _active(pointer)
    after = replace(_alone(pointer), champion=release.version, previous=pointer.champion)
    return entered(after, "promoted", release.version, release.run, now, reason)


def withdraw(pointer: Pointer, now: float, reason: str) -> Pointer:
    """End the release: the champion answers every caller again."""
    release = _active(pointer)
    return entered(_alone(pointer), "rolled_back", release.version, release.run, now, reason)


def roll_back(pointer: Pointer, now: float, reason: str, run: str | None = None) -> Pointer:
    """Make the previous champion live again, for an operator, and withdraw a challenger.

    It goes back one step only: the version that was rolled back is not the previous one then.
    `run` tells this rollback from another in the history.
    """
    if pointer.champion is None or pointer.previous is None:
        raise NotPossible("there is no earlier version to go back to")
    after = replace(_alone(pointer), champion=pointer.previous, previous=None)
    return entered(after, "rolled_back", pointer.champion, run, now, f"back to {pointer.previous}: {reason}")


def _challenged(pointer: Pointer, version: str, run: str, step: int, now: float) -> Pointer:
    if pointer.champion is None or pointer.champion == version:
        raise NotPossible("a challenger needs another version to challenge")
    if pointer.release is not None:
        raise NotPossible(f"the release of {pointer.release.version} is under way")
    return replace(pointer, challenger=version, release=Release(run=run, version=version, step=step, since=now))


def _alone(pointer: Pointer) -> Pointer:
    """Return the pointer without its challenger."""
    return replace(pointer, challenger=None, weight=0, shadow=0, release=None, counted=None)


def _active(pointer: Pointer) -> Release:
    if pointer.release is None:
        raise NotPossible("no release is under way")
    return pointer.release


def _per_cent(weight: int) -> int:
    if not 1 <= weight <= 99:
        raise ValueError("a challenger's weight is 1 to 99 per cent")
    return weight


def entered(after: Pointer, event: Change, version: str, run: str | None, now: float, reason: str) -> Pointer:
    """Return the pointer with one more entry in its history, and one revision higher."""
    revision = after.revision + 1
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    entry = Entry(revision=revision, event=event, version=version, run=run, at=at, reason=reason[:LONGEST_REASON])
    return replace(after, revision=revision, history=(*after.history, entry)[-LONGEST:])
