"""Destroy review stacks: that of one pull request, or, without a number, each whose pull request does not want it.

`python3 .github/end_review_stacks.py [NUMBER]` asks the programs `pulumi` and `gh`, with what they find in the
environment. A stack that cannot be destroyed does not keep the others; the exit code is then 1.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

LABEL = "review stack"
NAME = re.compile(r"(?:.*/)?pr-([0-9]+)")


def main(arguments: list[str]) -> int:
    """Destroy what is to go, and return the exit code."""
    numbers = {int(found[1]): one["name"] for one in _asked("pulumi", "stack", "ls", "--json") if (found := _name(one))}
    ending = [int(number) for number in arguments if number] or [number for number in numbers if not _wanted(number)]
    failed = [number for number in ending if number in numbers and not _ended(numbers[number])]
    print(f"{len(numbers)} review stacks were there; {len(failed)} of those that were to go are still there")
    return 1 if failed else 0


def _name(stack: dict[str, Any]) -> re.Match[str] | None:
    return NAME.fullmatch(stack["name"])


def _wanted(number: int) -> bool:
    found = _asked("gh", "pr", "view", str(number), "--json", "state,labels")
    return found["state"] == "OPEN" and LABEL in [label["name"] for label in found["labels"]]


def _ended(stack: str) -> bool:
    command = ["pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", "--remove", "--stack", stack]
    return subprocess.run(command, check=False).returncode == 0


def _asked(*command: str) -> Any:
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
