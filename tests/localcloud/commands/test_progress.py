from __future__ import annotations

import io

from rich.console import Console

from localcloud.commands.progress import NAME, SECONDS, TEXT, Progress


def test_what_is_long_goes_on_below_its_own_beginning() -> None:
    output = io.StringIO()
    words = [f"Resource.property{n}" for n in range(20)]
    Progress(Console(file=output, highlight=False, soft_wrap=True)).paragraph("not emulated", ", ".join(words))
    first, *others = output.getvalue().splitlines()
    assert first.startswith("  not emulated Resource.property0, ")
    assert others
    assert all(line.startswith(" " * (NAME + 3) + "Resource.") for line in others)
    assert all(len(line) <= 2 + NAME + 1 + TEXT + SECONDS for line in (first, *others))
    assert " ".join(line[NAME + 3 :] for line in (first, *others)) == ", ".join(words)


def test_nothing_to_say_is_a_line_all_the_same() -> None:
    output = io.StringIO()
    Progress(Console(file=output)).paragraph("not emulated", "")
    assert output.getvalue() == "  not emulated\n"
