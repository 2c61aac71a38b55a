"""`sml review` of this project itself: two of its commits, by their own programs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sml.commands import review
from tests import nimbus
from tests.root import ROOT
from tests.sml.called import called
from tests.sml.review.project import Project

pytestmark = pytest.mark.integration


def test_a_change_of_this_project_is_told_by_its_own_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line more in the table of functions is a grant, and a setting is what it changes; no archive is built anew."""
    root = nimbus.copied(tmp_path)
    (root / ".local").mkdir()
    (ROOT / ".local" / "bundles").mkdir(parents=True, exist_ok=True)
    (root / ".local" / "bundles").symlink_to(ROOT / ".local" / "bundles")
    project = Project(root, made=True)
    project.commit()
    table, file = root / "infra" / "function_table.py", root / "Pulumi.dev.yaml"
    text, row = table.read_text(encoding="utf-8"), 'reads("models", layout.VERSIONS, layout.LIVE),\n            writes('
    assert row in text
    table.write_text(text.replace(row, f'reads("data", layout.DATASETS),\n            {row}'), encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8").replace("log_days: 7", "log_days: 14"), encoding="utf-8")
    monkeypatch.setattr(review, "ROOT", root)
    said = called("review", "HEAD", "--stack", "dev", "--text")
    assert (said.code, said.err) == (0, said.err)
    lines = said.out.splitlines()
    assert re.match(r"dev: \+0 ~\d+ -0, .*limits (\d+)/\1(,|$)", lines[0])
    assert "  log_days 7 -> 14" in lines
    assert [line for line in lines if "s3:GetObject" in line and "/datasets/*" in line]
    assert "Sizes of archives:" not in lines
