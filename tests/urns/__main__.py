"""`python -m tests.urns`: add the resources that are new to the list of each stack.

What was promised before stays in the lists, and an entry that a graph breaks is not rewritten:
to give up a resource, delete its line.
"""

from __future__ import annotations

from tests.urns.promise import STACKS, graph, promise, read, unlisted, write


def main() -> None:
    """Write the list of every stack anew, and print what was added."""
    for stack in STACKS:
        before, declared = read(stack), graph(stack)
        write(stack, {**promise(declared), **before})
        added = unlisted(before, declared)
        print(f"{stack}: {len(before)} promised, {len(added)} added", *added, sep="\n  ")


if __name__ == "__main__":
    main()
