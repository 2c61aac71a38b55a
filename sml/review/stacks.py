"""The stacks that a change may concern, by the files that it changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Final

from sml.mistake import Mistake

FILE: Final = re.compile(r"Pulumi\.([A-Za-z0-9_.-]{1,100})\.yaml")
NO_PART: Final = (
    "docs/",
    "tests/",
    "bench/",
    "examples/",
    "doctor/",
    "sml/",
    ".github/",
    ".ci/",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    ".gitignore",
)
"""What no stack is made of: a change of these alone changes no stack."""


def stacks_in(root: Path) -> set[str]:
    """Return the stacks that have a file in a folder."""
    return {found[1] for path in root.glob("Pulumi.*.yaml") if (found := FILE.fullmatch(path.name))}


def is_on_this_machine(stack: str) -> bool:
    """Return whether a stack is one that runs here alone, in an embedded cloud: `local`, `gcp-local`."""
    return stack == "local" or stack.endswith("-local")


def chosen(named: Iterable[str], base: Set[str], head: Set[str]) -> list[str]:
    """Return the stacks to compare: those that were named, else every one that an account may have.

    Raise `Mistake` for one that neither commit has.
    """
    known = base | head
    for stack in named:
        if stack not in known:
            raise Mistake(
                f"neither commit has Pulumi.{stack}.yaml; the stacks are {', '.join(sorted(known)) or 'none'}"
            )
    return list(dict.fromkeys(named)) or sorted(one for one in known if not is_on_this_machine(one))


def concerned(stack: str, changed: Iterable[str]) -> bool:
    """Return whether a change of these paths may change a stack."""
    parts = [path for path in changed if not path.startswith(NO_PART)]
    return any(FILE.fullmatch(path) is None or path == f"Pulumi.{stack}.yaml" for path in parts)
