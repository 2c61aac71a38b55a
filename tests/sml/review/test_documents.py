"""Documents were made by code that nobody has approved: whatever they hold, the answer is a report or a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sml.mistake import Mistake
from sml.review import documents
from sml.review.__main__ import main
from sml.review.rendering import reports

GRAPH: dict[str, Any] = {"format": 1, "resources": [], "outputs": {}}
THING = {"urn": "urn:a", "type": "x:y:Z", "name": "a", "parent": "", "component": False, "inputs": {}}


def side(state: str = "made", said: str = "") -> dict[str, str]:
    return {"state": state, "said": said}


def folder(root: Path, *, base: Any = GRAPH, head: Any = GRAPH, review: Any = None, **more: Any) -> Path:
    whole = {"format": 1, "base": "a", "head": "b", "notes": [], "stacks": {"prod": {"base": side(), "head": side()}}}
    files = {"review.json": review or whole, "base/graph-prod.json": base, "head/graph-prod.json": head}
    for path, document in {**files, **{f"head/{name}-prod.json": found for name, found in more.items()}}.items():
        (root / path).parent.mkdir(exist_ok=True)
        text = document if isinstance(document, str) else json.dumps(document)
        (root / path).write_text(text, encoding="utf-8")
    return root


def test_documents_become_a_report(tmp_path: Path) -> None:
    (report,) = reports(folder(tmp_path, head={**GRAPH, "resources": [THING]}))
    assert (report.stack, report.changed, report.first) == ("prod", True, ("+1 ~0 -0",))


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"review": {"format": 1}}, "is no review: 'base'"),
        ({"review": "[1"}, "is not JSON"),
        ({"review": "[]"}, "holds no object"),
        ({"review": "[" * 100_000}, "is not JSON"),
        ({"review": {"base": "", "head": "", "notes": [], "stacks": {"../x": {}}}}, r"'\.\./x' is no name of a stack"),
        (
            {"review": {"base": "", "head": "", "notes": [], "stacks": {"a": {"base": side("odd"), "head": side()}}}},
            "odd",
        ),
        ({"head": {**GRAPH, "format": 2}}, "a graph of format 2; this reads format 1"),
        ({"head": {**GRAPH, "resources": [{"urn": 1}]}}, "no graph of resources: 'component'"),
        ({"head": {**GRAPH, "resources": [{**THING, "inputs": 7}]}}, "no graph of resources"),
        ({"head": {**GRAPH, "resources": 7}}, "no graph of resources"),
        ({"preview": {"format": 1, "limits": {"verdicts": [{}]}}}, "cannot be compared: KeyError: 'where'"),
        ({"preview": {"format": 1, "quotas": 7}}, "cannot be compared: TypeError"),
        ({"estimate": {"format": 1, "figures": {"month": 7}}}, "cannot be compared: "),
    ],
)
def test_what_is_no_document_of_a_review_is_one_sentence(
    tmp_path: Path, broken: dict[str, Any], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    resources = {"head": {**GRAPH, "resources": [THING]}}
    made = folder(tmp_path, **{**resources, **broken})
    with pytest.raises(Mistake, match=sentence):
        reports(made)
    assert main([str(made)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_document_beyond_all_bounds_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = folder(tmp_path)
    monkeypatch.setattr(documents, "LARGEST_BYTES", 10)
    with pytest.raises(Mistake, match="has more than 10 bytes"):
        reports(made)


def test_a_folder_without_documents_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
    assert main([]) == 2
    assert capsys.readouterr().err == "usage: python -m sml.review FOLDER\n"


def test_a_document_of_a_later_format_counts_as_one_that_is_not_there(tmp_path: Path) -> None:
    (report,) = reports(folder(tmp_path, head={**GRAPH, "resources": [THING]}, preview={"format": 2, "limits": 7}))
    assert report.first == ("+1 ~0 -0",)
