from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.page import PAGES, name_of, prose
from tests.root import ROOT

TOP = "infra|functions|models|localcloud|doctor|sml|tests|bench|docs|requirements"
PATH = re.compile(
    rf"(?<![\w/.<>-])((?:{TOP})/[\w./<>{{}},*-]*|(?:Pulumi|Makefile|CHANGELOG|CONTRIBUTING|README)\.[\w.<>*-]+)"
)
EXAMPLES = {"models/churn", "infra/nimbus", "functions/core/<name>.py"}
"""Of a walk-through: whoever follows it makes them."""


def missing(text: str) -> list[str]:
    """The paths of the project that a page names in its prose, and that lead nowhere.

    `<name>` and `*` stand for anything that makes the path lead somewhere.
    """
    named = {found.rstrip("/.,") for code in re.findall(r"`([^`\n]+)`", prose(text)) for found in PATH.findall(code)}
    wanted = {name for name in named if not name.startswith(tuple(EXAMPLES))}
    return sorted(name for name in wanted if not any(ROOT.glob(re.sub(r"<[^>]+>|\{[^}]+\}", "*", name))))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_that_a_page_names_leads_somewhere(page: Path) -> None:
    assert missing(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see `infra/blueprint.py`", []),
        ("see `infra/nowhere.py` and `functions/core/nowhere/`", ["functions/core/nowhere", "infra/nowhere.py"]),
        ("`functions/adapters/<cloud>/http.py`, `tests/graph_<cloud>.py`, `infra/*/queue.py`", []),
        ("`functions/adapters/<cloud>/nowhere.py`", ["functions/adapters/<cloud>/nowhere.py"]),
        ("`Pulumi.local.yaml` and `Pulumi.nowhere.yaml`", ["Pulumi.nowhere.yaml"]),
        ("```\ninfra/nowhere.py\n```\n", []),
    ],
)
def test_a_path_that_leads_nowhere_is_seen(text: str, found: list[str]) -> None:
    assert missing(text) == found
