"""A version answers what callers asked, before a single caller sees it, and is judged by the judge of releases."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.core.registry.pointer import promote_first
from functions.core.serving.redaction import Redaction
from functions.core.storage.objects import canonical
from functions.core.watching.checks import Checks
from functions.core.watching.compaction import Compaction
from models.contract import Contract
from tests.functions.bring_your_own import SCORES, pair
from tests.functions.core.serving.test_onnx_model import register
from tests.functions.serving import BENIGN, FEATURES, MALIGNANT, MODEL, POISON, TARGET, Bench, model_bytes
from tests.sml.staged import Staged

ALIKE, WRONG = model_bytes(slope=2.0), model_bytes(slope=-1.0)
CONTRACT: dict[str, Any] = {
    "name": MODEL,
    "task": "classification",
    "features": FEATURES,
    "target": TARGET,
    "search": {"families": [{"C": [1.0]}]},
    "gate": {"minimum": 0.8},
}
Serve = Callable[..., Bench]


@pytest.fixture
def serve(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Return what makes a service, whose stores the staged stack has, and whose rollout has default rules."""
    monkeypatch.setattr("sml.rehearsal.load", lambda _: Contract.parse(CONTRACT, "model.yaml"))
    staged.outputs["models"][MODEL] = staged.outputs["models"]["penguins"]

    def made(**how: Any) -> Bench:
        bench = Bench(capture_inputs=1.0, **how)
        bench.clock.now = time.time()
        staged.stores |= {"s3://models-1": bench.models, "s3://captures-1": bench.captures}
        return bench

    return made


def ask(bench: Bench, requests: int, *rows: Any) -> None:
    for number in range(requests):
        bench.clock.forward(1)
        bench.predict(*(rows or (BENIGN, MALIGNANT)), caller=f"c{number}")
    bench.clock.now = time.time()


def rehearsed(staged: Staged, version: str, *more: str) -> dict[str, Any]:
    return json.loads(staged.sml("rehearse", f"{MODEL}@{version[:8]}", *more, "--json").out)


def test_a_version_that_answers_as_the_champion_did_would_be_promoted(staged: Staged, serve: Serve) -> None:
    bench = serve()
    champion = bench.champion()
    ask(bench, 150)
    version = bench.register(ALIKE)
    said = staged.sml("rehearse", f"{MODEL}@{version[:6]}", "--against", "captures")
    lines = said.out.splitlines()
    assert lines[0].startswith(f"{MODEL} @ {version[:6]}, asked what callers asked from ")
    assert lines[0].endswith(f": 150 requests, 300 rows, answered then by {champion[:6]} (150)")
    assert lines[1].startswith("it would be promoted: 150 requests, 0 errors, agreement 1.000, median ")
    assert "shown: errors below 2.94 %, agreement above 0.75" in lines[1]
    assert (said.code, "answered otherwise" in said.out) == (0, False)
    assert [line.split()[0] for line in lines[-3:]] == ["errors", "agreement", "latency"]


def test_a_version_that_answers_otherwise_would_be_withdrawn_and_the_rows_are_written_down(
    staged: Staged, serve: Serve, tmp_path: Path
) -> None:
    bench = serve()
    bench.champion()
    ask(bench, 40)
    version, file = bench.register(WRONG), tmp_path / "rows.jsonl"
    said = staged.sml("rehearse", f"{MODEL}@{version}", "--differing", str(file))
    assert said.code == 1
    assert "it would be withdrawn: agreement with the champion: 0.000 on 40 requests" in said.out
    assert f"80 rows are answered otherwise, or not at all: {file} has them" in said.out
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 80
    assert (rows[1]["row"], rows[1]["inputs"]) == (1, MALIGNANT)
    assert (rows[1]["champion"]["label"], rows[1]["candidate"]["label"]) == ("malignant", "benign")
    assert rows[0]["request"].startswith("r-c")


def test_what_it_fails_on_or_refuses_counts_as_an_error(staged: Staged, serve: Serve) -> None:
    bench = serve()
    bench.champion(features=[{"name": "mean_radius"}, {"name": "mean_texture"}])
    ask(bench, 10)
    ask(bench, 30, POISON)
    failing = rehearsed(staged, bench.register(model_bytes(fails=True)))
    assert (failing["decision"], failing["metrics"]["errors"], failing["metrics"]["requests"]) == ("fail", 30, 40)
    narrow = [{"name": "mean_radius", "maximum": 100.0}, {"name": "mean_texture"}]
    assert rehearsed(staged, bench.register(ALIKE, narrow))["metrics"]["errors"] == 30


def test_days_that_are_files_and_days_that_are_objects_are_asked_alike(staged: Staged, serve: Serve) -> None:
    bench = serve()
    bench.champion()
    ask(bench, 20)
    version = bench.register(WRONG)
    before = rehearsed(staged, version)
    checks = Checks(model=MODEL, models=bench.models, captures=bench.captures)
    for day in {key.split("/")[1] for key in bench.captures.keys(MODEL)}:
        assert Compaction(bench.captures, MODEL, checks.columns).compact(day)
    after = rehearsed(staged, version)
    for one in (before, after):
        for latency in ("challenger_ms", "champion_ms", "latency_ratio"):
            del one["metrics"][latency]
        del one["reason"], one["weighing"]
    assert before == after


def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(staged: Staged, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere" / "rows.jsonl"
    said = staged.sml("rehearse", f"{MODEL}@abc", "--differing", str(nowhere))
    assert (said.code, f"{nowhere} cannot be written: there is no folder {nowhere.parent}" in said.err) == (1, True)
    said = staged.sml("rehearse", f"{MODEL}@abc", "--differing", str(tmp_path))
    assert (said.code, f"{tmp_path} is a folder; a file is accepted" in said.err) == (1, True)


def test_of_very_many_requests_an_even_share_is_asked(staged: Staged, serve: Serve) -> None:
    bench = serve()
    bench.champion()
    ask(bench, 40)
    assert rehearsed(staged, bench.register(ALIKE), "--most", "10")["metrics"]["requests"] == 10


def test_what_the_champion_answers_otherwise_by_now_is_told(staged: Staged, serve: Serve) -> None:
    bench = serve()
    champion = bench.champion()
    now = datetime.now(UTC)
    record: dict[str, Any] = {
        "version": champion,
        "variant": "champion",
        "rows": 1,
        "time": now.timestamp(),
        "caller": "c",
    }
    record |= {"inputs": [[1.0, 9.0]], "outputs": [[0.5, 0.5]]}
    bench.captures.put(f"{MODEL}/{now:%Y-%m-%d/%H}/0000-a.jsonl", canonical(record))
    said = staged.sml("rehearse", f"{MODEL}@{bench.register(ALIKE)}")
    assert "1 requests are answered otherwise here than then, by the same version" in said.out


def test_a_finished_model_is_asked_its_tensors(staged: Staged, serve: Serve) -> None:
    bench = serve()
    name = register(bench, pair(), scores=SCORES)
    bench.live.change(lambda pointer: promote_first(pointer, name, "first", bench.clock()))
    ask(bench, 30, {"a": [3], "b": [1], "text": "x"}, {"a": [1], "b": [2], "text": "y"})
    same = rehearsed(staged, register(bench, pair(producer="another"), scores=SCORES))
    assert (same["rows"], same["metrics"]["agreement"], same["moved"]) == (60, 1.0, 0)
    other = rehearsed(staged, register(bench, pair("Add"), scores=SCORES))
    assert other["metrics"]["agreement"] == 0.5
    assert other["differing_rows"] == 30


def itself(bench: Bench) -> str:
    return bench.live.read().champion or ""


def gone(bench: Bench) -> str:
    bench.models.remove(list(bench.models.keys(f"{MODEL}/versions/{itself(bench)}")))
    return bench.register(ALIKE)


def of_another_contract(bench: Bench) -> str:
    return bench.register(ALIKE, [*FEATURES[:1], {"name": "mean_area"}])


def of_other_categories(bench: Bench) -> str:
    return bench.register(ALIKE, [{"name": "mean_radius", "kind": "integer"}, *FEATURES[1:]])


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (gone, "25 of versions that are gone, or no rows of columns"),
        (itself, "25 answered by this version itself"),
        (of_another_contract, "25 of another contract: mean_area was not asked for then"),
        (of_other_categories, "25 of another contract: the numbers of mean_radius meant something else then"),
    ],
)
def test_where_nothing_can_be_asked_it_is_said_why(
    staged: Staged, serve: Serve, made: Callable[[Bench], str], told: str
) -> None:
    bench = serve()
    bench.champion()
    ask(bench, 25)
    said = staged.sml("rehearse", f"{MODEL}@{made(bench)}")
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith("sml: of what was captured from ")
    assert said.err.strip().endswith(f" nothing can be asked: {told}")


def test_redacted_captures_cannot_be_asked_and_the_column_is_named(staged: Staged, serve: Serve) -> None:
    bench = serve(redaction=Redaction({"mean_radius": "omit"}))
    bench.champion()
    ask(bench, 5)
    said = staged.sml("rehearse", f"{MODEL}@{bench.register(ALIKE)}")
    assert said.err.strip().endswith("5 without mean_radius, which captures do not keep (capture.redact)")


def test_without_captures_it_is_said_where_they_would_come_from(staged: Staged, serve: Serve) -> None:
    bench = serve()
    said = staged.sml("rehearse", f"{MODEL}@{bench.champion()}")
    assert said.code == 1
    assert f"no row of {MODEL} was captured from " in said.err
    assert "capture.inputs" in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([MODEL], f"which version of {MODEL}?"),
        ([f"{MODEL}@ffff"], "ffff"),
        (
            [f"{MODEL}@{{}}", "--against", "traffic"],
            "--against: 'traffic' is nothing that can be asked; accepted: captures",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(staged: Staged, serve: Serve, arguments: list[str], told: str) -> None:
    version = serve().champion()
    said = staged.sml("rehearse", *(one.format(version) for one in arguments))
    assert said.code == 1
    assert told in said.err


def test_a_version_that_does_not_open_is_told_so(staged: Staged, serve: Serve) -> None:
    bench = serve()
    bench.champion()
    ask(bench, 5)
    version = bench.register(ALIKE)
    bench.models.put(f"{MODEL}/versions/{version}/model.onnx", b"damaged")
    said = staged.sml("rehearse", f"{MODEL}@{version}")
    assert (said.code, f"{MODEL} @ {version} cannot be asked: " in said.err) == (1, True)
