"""The figures of docs/cost.md are those that the command prints."""

from __future__ import annotations

import re
from datetime import date

import pytest

from localcloud.commands.estimate import priced
from localcloud.commands.estimate_lines import lines
from tests.infra.estimate.stacks import graph
from tests.root import ROOT

PAGE = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
READ = date(2026, 12, 1)


@pytest.mark.parametrize("stack", ["prod", "gcp-prod"])
def test_the_page_shows_what_a_preview_prints(stack: str) -> None:
    block = re.search(rf"<!-- {stack} -->\n```text\n(.*?)\n```\n<!-- end -->", PAGE, re.DOTALL)
    assert block is not None
    printed = list(lines(priced(graph(stack), today=READ)))
    assert block[1].splitlines() == printed, f"python -m localcloud estimate .local/graph-{stack}.json prints the block"
