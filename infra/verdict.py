"""One value of a stack, compared with one limit of a platform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One limit, compared with one value of the stack."""

    where: str
    """The setting to change, or the file."""
    what: str
    """What the value counts, with its unit."""
    value: int | str
    bound: str
    passed: bool
    origin: str = ""
    """The file and the field that say so, where it is not the stack's file."""

    @property
    def shown(self) -> str:
        """The value as text."""
        return f"{self.value:,}" if isinstance(self.value, int) else self.value


def at_most(where: str, what: str, value: int, bound: int) -> Verdict:
    """Compare a value with an upper bound. A `where` that is a path is its own origin."""
    return within(
        where, what, value, (None, bound), where if where.partition(" ")[0].endswith((".py", ".in", ".yaml")) else ""
    )


def within(where: str, what: str, value: int, bounds: tuple[int | None, int | None], origin: str = "") -> Verdict:
    """Compare a value with the bounds that there are: the lowest and the highest that is accepted."""
    lowest, highest = bounds
    if lowest is None:
        bound = f"at most {highest:,}"
    else:
        bound = f"at least {lowest:,}" if highest is None else f"{lowest:,} to {highest:,}"
    passed = (lowest is None or lowest <= value) and (highest is None or value <= highest)
    return Verdict(where=where, what=what, value=value, bound=bound, passed=passed, origin=origin)


def one_of(where: str, what: str, value: str, accepted: Sequence[str]) -> Verdict:
    """Compare a value with those that are accepted."""
    return Verdict(where=where, what=what, value=value, bound=", ".join(accepted), passed=value in accepted)
