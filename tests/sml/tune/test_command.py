"""`sml tune` as it is typed, also with mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functions.core.registry.pointer import Pointer
from sml import clouds
from sml.mistake import Mistake
from sml.tune import prices, trial
from tests.sml.staged import MODEL, Staged
from tests.sml.tune.samples import Copies, size

GOLDEN = {"inputs": [[1.0], [2.0]]}


@pytest.fixture
def copies(staged: Staged, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Copies:
    """Return the copies of a stack whose model is live, where prices cost no process."""
    staged.outputs["functions"] = {name: f"{name}-function-1" for name in ("predict", "train", "tally")}
    for facts in staged.outputs["models"].values():
        facts["function"] = "predict"
    for name in (MODEL, "whales"):
        card = {"version": "v1", "features": [{"name": "mass"}]}
        staged.registry.put_json(f"{name}/live.json", Pointer(champion="v1").document())
        staged.registry.put_json(f"{name}/versions/v1/card.json", card)
        staged.registry.put_json(f"{name}/versions/v1/golden.json", GOLDEN)
    copies = Copies()
    monkeypatch.setattr(clouds, "trials", lambda *_: copies)
    monkeypatch.setattr(prices, "sizes_of", lambda cloud, region, deployed, memory: [size(one) for one in memory])
    monkeypatch.setattr(trial, "TASKS", Path("/"))
    monkeypatch.setattr("sml.here.ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    return copies


def test_it_prints_a_table_a_sentence_and_where_the_charts_are(staged: Staged, copies: Copies, tmp_path: Path) -> None:
    told = staged.sml("tune", MODEL, "--calls", "5")
    assert told.code == 0
    assert ("p95 ms" in told.out, "512 MB instead of 1,024: " in told.out) == (True, True)
    assert "write it with --write" in told.out
    assert "predict answers for whales, too" in told.err
    assert (tmp_path / f"tune-{MODEL}.html").read_bytes().startswith(b"<!doctype html>")
    assert copies.removed == [copies.name()]
    assert sorted(set(copies.opened)) == [512, 1024]


def test_the_deployed_size_is_always_among_those_that_are_tried(staged: Staged, copies: Copies) -> None:
    told = staged.sml("tune", MODEL, "--calls", "5", "--sizes", "768, 256", "--json")
    assert [one["memory_mb"] for one in told.document["sizes"]] == [256, 768, 1024]
    assert [one["deployed"] for one in told.document["sizes"]] == [False, False, True]


def test_a_function_is_named_in_place_of_a_model(staged: Staged, copies: Copies) -> None:
    staged.registry.put_json(f"{MODEL}/live.json", Pointer().document())
    # Its first model that is live is asked.
    assert staged.sml("tune", "--function", "predict", "--calls", "5", "--json").document["model"] == "whales"
    assert copies.asked[0].path == "/models/whales/predict"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a model, or a function"),
        ((MODEL, "--function", "predict"), "name a model, or a function"),
        (("dolphins",), "there is no model dolphins"),
        (("--function", "nothing"), "there is no function nothing; tuned are those that only answer: predict"),
        (("--function", "train"), "train writes into the stores"),
        (("--function", "tally"), "tally writes into the stores"),
        ((MODEL, "--for", "beauty"), "accepted: balanced, cost, latency"),
        ((MODEL, "--sizes", "64"), "accepted: sizes in MB from 128 to 10,240"),
        ((MODEL, "--sizes", "512,"), "accepted: sizes in MB"),
        ((MODEL, "--sizes", "big"), "accepted: sizes in MB"),
        ((MODEL, "--write"), "there is no Pulumi.local.yaml"),
    ],
    ids=lambda value: "-".join(value) or "nothing" if isinstance(value, tuple) else "",
)
def test_a_mistake_is_one_sentence_and_nothing_is_made(
    arguments: tuple[str, ...], said: str, staged: Staged, copies: Copies
) -> None:
    told = staged.sml("tune", *arguments)
    assert (told.code, told.err.count("\n"), said in told.err) == (1, 1, True)
    assert copies.opened == []


def test_a_model_without_a_live_version_is_not_tuned(staged: Staged, copies: Copies) -> None:
    staged.registry.put_json(f"{MODEL}/live.json", Pointer().document())
    told = staged.sml("tune", MODEL)
    assert (told.code, f"no version of {MODEL} is live yet" in told.err, copies.opened) == (1, True, [])


def test_ctrl_c_removes_the_copy_with_a_line(staged: Staged, copies: Copies) -> None:
    copies.interrupted = True
    told = staged.sml("tune", MODEL)
    assert (told.code, f"stopped; removing {copies.name()}" in told.err, copies.removed) == (130, True, [copies.name()])


def test_where_no_size_fits_it_fails(staged: Staged, copies: Copies) -> None:
    copies.refusals = dict.fromkeys((512, 1024), Mistake("a quota of the account"))
    told = staged.sml("tune", MODEL, "--calls", "5")
    assert (told.code, "no size fits" in told.out) == (1, True)


def test_what_is_best_is_written_into_the_stacks_file(staged: Staged, copies: Copies, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    text = "config:  # mine\n  serverless-ml:settings:\n    models: [penguins]  # two\n"
    file.write_text(text, encoding="utf-8")
    told = staged.sml("tune", MODEL, "--calls", "5", "--write")
    added = "    functions: {predict: {memory_mb: 512}}\n"
    assert (told.code, file.read_text(encoding="utf-8")) == (0, text + added)
    assert "Pulumi.local.yaml: functions.predict.memory_mb: 512" in told.err


def test_a_machine_that_cannot_hold_a_process_says_so(
    staged: Staged, copies: Copies, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(trial, "TASKS", tmp_path / "none")
    told = staged.sml("tune", MODEL)
    assert (told.code, "on Linux alone" in told.err, copies.opened) == (1, True, [])


def test_a_canary_that_is_under_way_is_said(staged: Staged, copies: Copies) -> None:
    pointer: Any = Pointer(champion="v1", challenger="v2", weight=10).document()
    staged.registry.put_json(f"{MODEL}/live.json", pointer)
    assert "a release of v2 is under way" in staged.sml("tune", MODEL, "--calls", "5").err
