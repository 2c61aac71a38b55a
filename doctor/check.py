"""A check of an account: a question, and what its answer means for a stack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from doctor.finding import Finding, unknown
from doctor.stack import Stack

Client = TypeVar("Client")
Answer = TypeVar("Answer")
SECONDS = 5
"""The time that a cloud has to begin an answer."""


class CouldNotAsk(Exception):
    """Nothing can be asked: there are no credentials, they are not accepted, or the cloud is not reached."""

    def __init__(self, text: str, *mend: str) -> None:
        super().__init__(text)
        self.mend = mend


class NotAnswered(Exception):
    """One question has no answer."""

    def __init__(self, text: str, *mend: str) -> None:
        super().__init__(text)
        self.mend = mend


class NotThere(NotAnswered):
    """What was asked for does not exist."""


class Forbidden(NotAnswered):
    """The caller lacks a permission."""


class Unreached(NotAnswered):
    """Nobody answers."""


class Entrance(Protocol):
    """Where an embedded cloud is asked in place of the real one."""

    @property
    def endpoint(self) -> str: ...

    @property
    def certificate(self) -> Path | None: ...

    @property
    def credentials(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, kw_only=True)
class Check(Generic[Client, Answer]):
    """`ask` raises `NotAnswered` and `CouldNotAsk`; `judge` neither raises nor calls anything."""

    name: str
    ask: Callable[[Client, Stack], Answer]
    judge: Callable[[Answer, Stack], Sequence[Finding]]


@dataclass(frozen=True, kw_only=True)
class Doctor(Generic[Client]):
    """The checks of one cloud."""

    title: str
    """Its name for people: `AWS`."""
    connect: Callable[[Stack, Entrance | None], Client]
    """Return a client of the account, by the credentials of the environment or of an embedded cloud. Raises
    `CouldNotAsk`."""
    checks: tuple[Check[Client, Any], ...]


def findings(check: Check[Client, Any], client: Client, stack: Stack) -> Sequence[Finding]:
    """Ask one question and return what the answer means. Raises `CouldNotAsk`."""
    try:
        answer = check.ask(client, stack)
    except NotAnswered as unanswered:
        return [unknown(str(unanswered), *unanswered.mend)]
    return check.judge(answer, stack)


def missing(wanted: Iterable[str], present: Iterable[str]) -> list[str]:
    """Return what is wanted and not present, sorted."""
    return sorted(set(wanted).difference(present))
