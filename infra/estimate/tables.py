"""The tables that every figure comes from: TOML next to this file, each with sources and the date it was read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


@cache
def table(name: str) -> Mapping[str, Any]:
    """Return a table by its name, such as `grid` or `tariffs/aws`."""
    with (FOLDER / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def exists(name: str) -> bool:
    """Return whether there is a table of that name."""
    return (FOLDER / f"{name}.toml").is_file()
