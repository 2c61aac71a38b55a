"""A command of ours as a person types it next: with the options in force, so that it works where it is pasted."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

VARIABLES = (("--stack", "SML_STACK"), ("--outputs", "SML_OUTPUTS"), ("--state", "SML_STATE"))
"""The options that name a stack, and the variables that stand for them."""


@dataclass(frozen=True, kw_only=True)
class Typed:
    """Writes commands for the stack that these options name; without any, for the one that is up here."""

    stack: str | None = None
    outputs: Path | None = None
    state: Path | None = None
    program: str = "sml"
    """How the command is called from where it is to be typed."""

    def __call__(self, *words: str) -> str:
        """Return a command. A word that the shell would take for something else is quoted.

        What a variable of this environment says needs no option; one that says something else is taken out of it.
        """
        options: list[str] = []
        others: list[str] = []
        for (option, variable), value in zip(VARIABLES, (self.stack, self.outputs, self.state), strict=True):
            known = os.environ.get(variable) or None
            if value is None and known is not None:
                others += ["-u", variable]
            elif value is not None and str(value) != known:
                options += [option, str(value)]
        without = ["env", *others] if others else []
        return " ".join([*without, self.program, shlex.join([*words, *options])])
