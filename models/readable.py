"""A number as people read it."""

from __future__ import annotations


def readable(value: float, digits: int = 4) -> str:
    """Return a number in as many digits as matter, its whole part never cut: 0.4651, 95,400, 5,000,000, 8.7e-07."""
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"
