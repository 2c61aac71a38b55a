from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pulumi
import pytest
from rich.console import Console

from localcloud.commands.estimate import main, priced
from localcloud.commands.estimate_lines import between, lines, usd
from localcloud.commands.progress import Progress
from tests.infra.estimate.stacks import estimate, graph, plain


def written(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "graph.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document, default=str), encoding="utf-8")
    return path


def printed(path: Path, region: str = "", *, as_json: bool = False) -> str:
    out = StringIO()
    progress = Progress(Console(file=out, highlight=False, soft_wrap=True))
    assert main(progress, path, path.parent, region, as_json=as_json) == 0
    return out.getvalue()


def test_a_graph_is_told_in_lines_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, plain("aws"))
    assert printed(path).startswith("estimate of aws us-east-1, at list prices read on 20")
    assert printed(path, "af-south-1").startswith("estimate of aws af-south-1")
    printed(path, as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(priced(plain("aws"))))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 2, "resources": []}'])
def test_what_is_no_graph_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(pulumi.RunError, match=r"graph\.json: is no graph of a stack; accepted: a file that"):
        printed(written(tmp_path, text))


def test_a_file_that_is_not_there_is_told_with_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r"none\.json: No such file or directory; `make preview STACK="):
        printed(tmp_path / "none.json")


def test_a_graph_of_no_known_cloud_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="no component of a cloud; known: aws, gcp"):
        printed(written(tmp_path, {"format": 1, "resources": []}))


@pytest.mark.parametrize("stack", ["prod", "gcp-prod"])
def test_the_lines_fit_a_terminal_and_say_assumptions_boundary_and_what_is_missing(stack: str) -> None:
    told = list(lines(priced(graph(stack))))
    assert max(map(len, told)) <= 120
    text = "\n".join(told)
    for words in (
        "predictions a second: 1",
        "an idle month",
        "USD standing",
        "tiers of the account",
        "SCI, ISO/IEC 21031:2024",
        "not: gateway",
        "g/kWh: ",
        "publications",
        "always on, 2 vCPUs",
        "without ",
        "unverified: ",
    ):
        assert words in text


def test_several_models_have_rows_of_their_own() -> None:
    told = "\n".join(lines(estimate("aws", models=["breast_cancer", "file_type"])))
    assert "1,000 of breast_cancer" in told
    assert "a run of file_type" in told


def test_what_nobody_knows_is_a_dash_and_a_word() -> None:
    told = "\n".join(lines(priced(plain("aws"), region="mars-1")))
    assert "NOTE    no prices of mars-1 are here" in told
    assert " -  " in told
    assert "not known" in told


def test_a_cloud_without_a_tariff_is_one_line() -> None:
    found = {"cloud": "nimbus", "region": "", "figures": {}, "remarks": ["nobody has said what nimbus charges"]}
    assert list(lines(found)) == ["estimate: nobody has said what nimbus charges"]


@pytest.mark.parametrize(
    ("figure", "text"),
    [(None, "-"), (0.0, "0.00"), (1234.5, "1,234.50"), (0.0079, "0.0079"), (0.000012345, "0.000012"), (-2.0, "-2.00")],
    ids=str,
)
def test_an_amount_has_cents_or_the_digits_that_say_something(figure: float | None, text: str) -> None:
    assert usd(figure) == text


def test_a_figure_is_told_between_its_bounds() -> None:
    assert between({"low": 0.8, "central": 1.31, "high": 1234.5}) == "1.31 (0.80 to 1,234)"
