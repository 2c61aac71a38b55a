"""What a check finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a finding means for `pulumi up`."""

    READY = "ok"
    SCARCE = "scarce"
    """The stack is deployed, and what it then does may be refused."""
    FAILS = "FAILS"
    UNKNOWN = "not known"
    """The question was not answered."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One sentence about the account, and what to do about it."""

    verdict: Verdict
    text: str
    mend: tuple[str, ...] = ()
    """Commands or addresses, each to be pasted as it is."""


def ready(text: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(verdict=Verdict.READY, text=text)


def fails(text: str, *mend: str) -> Finding:
    """Return a finding at which `pulumi up` fails."""
    return Finding(verdict=Verdict.FAILS, text=text, mend=mend)


def unknown(text: str, *mend: str) -> Finding:
    """Return a finding that only says that nothing is known."""
    return Finding(verdict=Verdict.UNKNOWN, text=text, mend=mend)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 1 if something would fail, else 2 if something could not be asked, else 0."""
    verdicts = {finding.verdict for finding in findings}
    if Verdict.FAILS in verdicts:
        return 1
    return 2 if Verdict.UNKNOWN in verdicts else 0
