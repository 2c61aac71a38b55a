"""Stacks on GCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sml.clouds import Cloud

SCHEME = "gs"
"""Of the URLs of its stores."""


def open_account() -> Cloud:
    """Return the account that the environment has a way into."""
    from sml.gcp.account import Account  # noqa: PLC0415 - its client takes long to import

    return Account()
