from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_origin

import pytest
from pydantic import BaseModel

from infra.section import sections_in
from infra.settings import Settings
from tests.root import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        sections = sections_in(field.annotation)
        key = f"{prefix}{name}"
        if name == "auth" or not sections:
            yield f"{key}.<name>" if get_origin(field.annotation) is Mapping else key
        elif prefix == "functions.":
            yield from leaves(sections[0], "functions.<name>.")
        else:
            below = f"{key}.<name>." if get_origin(field.annotation) is Mapping else f"{key}."
            yield from (leaf for section in sections for leaf in leaves(section, below))


def test_every_setting_is_documented_and_nothing_else() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(set(leaves(Settings)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]
