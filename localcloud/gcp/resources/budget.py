"""Budgets: nothing here costs money, and nobody is told that it does."""

from __future__ import annotations

ABSENT = {"gcp:billing/budget:Budget": "nothing here costs money; `sml stop` stops the stack as a budget would"}
