"""`python -m tests.urns`: add the resources that are new to the list of each stack.

What was promised before stays in the lists, and an entry that a graph breaks is not rewritten, unless the section
Breaking of CHANGELOG.md names its key.
"""

from __future__ import annotations

import sys

import pulumi

from tests.root import ROOT
from tests.urns.promise import STACKS, given_up, graph, read, renewed, unlisted, write


def main() -> None:
    """Write the list of every stack anew, and print what was added."""
    broken = given_up((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    for stack in STACKS:
        before, declared = read(stack), graph(stack)
        write(stack, renewed(before, declared, broken))
        added = unlisted(before, declared)
        print(f"{stack}: {len(before)} promised, {len(added)} added", *added, sep="\n  ")


if __name__ == "__main__":
    try:
        main()
    except pulumi.RunError as mistake:
        sys.exit(str(mistake))
