"""The very version of one stack, released in another: here from the stack that is up to one in an account of GCP."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from functions.core.dataset.prepare import Preparation
from functions.core.registry.pointer import Pointer, begin, promote_first
from functions.core.registry.versions import Registry
from functions.core.release.verification import keys_by_model, verify
from functions.core.storage.objects import Forbidden, Objects
from tests.functions.serving import FEATURES, card_of, golden_of, model_bytes
from tests.sml.called import Said
from tests.sml.staged import MODEL, OUTPUTS, Staged

RUN = "aa01aa01aa01aa01"


@dataclass
class Prod:
    """Another stack, in an account of another cloud, and the cloud itself."""

    staged: Staged
    file: Path
    registry: Objects = field(default_factory=Objects.in_memory)
    started: list[Mapping[str, Any]] = field(default_factory=list)
    title = "GCP"

    def start(self, workflow: str, argument: Mapping[str, Any]) -> str:
        assert workflow == "projects/p/locations/l/workflows/w"
        self.started.append(argument)
        return "projects/p/locations/l/workflows/w/executions/e1"

    def person(self, _: object) -> str:
        return "ann@example.org"

    def promote(self, named: str, *options: str) -> Said:
        return self.staged.sml("promote", named, "--to-outputs", str(self.file), *options)

    def sml(self, *arguments: str) -> Said:
        return self.staged.sml(*arguments, "--outputs", str(self.file))

    def live(self, version: str) -> None:
        document = promote_first(Pointer(), version, "first", 0.0).document()
        self.registry.put_json(f"{MODEL}/live.json", document)


@pytest.fixture
def prod(staged: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prod:
    prod = Prod(staged, tmp_path / "prod.json")
    outputs = {**OUTPUTS, "data_url": "gs://data-2", "models_url": "gs://models-2", "jobs_url": "gs://jobs-2"}
    prod.file.write_text(json.dumps({**outputs, "workflow": "projects/p/locations/l/workflows/w"}), encoding="utf-8")
    staged.stores["gs://models-2"] = prod.registry
    monkeypatch.setattr("sml.stack.account", lambda *_: prod)
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody else")
    return prod


def register(objects: Objects, slope: float = 1.0, features: Any = None, **facts: Any) -> str:
    onnx = model_bytes(slope=slope)
    extras = {"profile.json": b"{}", "report.html": b"<!doctype html>"}
    card = {**card_of(features), "run": RUN, "dataset": "d1", "created": "2026-11-30T04:44:02+00:00", **facts}
    return Registry(objects, MODEL).register(onnx, card, golden_of(onnx), extras)


def files(objects: Objects, version: str) -> dict[str, bytes]:
    folder = f"{MODEL}/versions/{version}/"
    return {key.removeprefix(folder): objects.get(key) for key in objects.keys(folder)}


def faults(objects: Objects) -> list[str]:
    return [fault.key for fault in verify(objects, MODEL, keys_by_model(objects)[MODEL]).faults]


def live_here(staged: Staged, version: str) -> None:
    staged.registry.put_json(f"{MODEL}/live.json", promote_first(Pointer(), version, RUN, 0.0).document())


@pytest.mark.parametrize("named", ["by its name", "the live one"])
def test_a_version_is_copied_with_its_lineage_and_released_by_the_other_stack(
    named: str, staged: Staged, prod: Prod
) -> None:
    version = register(staged.registry)
    live_here(staged, version)
    prod.live(register(prod.registry, slope=2.0))
    said = prod.promote(MODEL if named == "the live one" else f"{MODEL}@{version[:6]}", "--reason", "proven", "--json")
    assert (said.code, said.document["version"], prod.started) == (0, version, [{"model": MODEL, "version": version}])
    assert said.err == f"  transfer     {MODEL} @ {version}: local -> prod, copied\n"
    there = files(prod.registry, version)
    origin = json.loads(there.pop("origin.json"))
    assert there == files(staged.registry, version)
    at = origin.pop("at")
    assert at.endswith("+00:00")
    assert origin == {
        "stack": "local",
        "store": "s3://models-1",
        "run": RUN,
        "dataset": "d1",
        "created": "2026-11-30T04:44:02+00:00",
        "was_live": True,
        "by": "ann@example.org",
        "known_by": "GCP",
        "reason": "proven",
    }
    assert (
        prod.promote(f"{MODEL}@{version}").err == f"  transfer     {MODEL} @ {version}: local -> prod, there already\n"
    )
    assert json.loads(files(prod.registry, version)["origin.json"])["at"] == at


def test_what_came_from_another_stack_is_shown_though_its_run_is_not_there(staged: Staged, prod: Prod) -> None:
    version, other = register(staged.registry), register(prod.registry, slope=2.0)
    prod.live(other)
    assert prod.promote(f"{MODEL}@{version}").code == 0
    preparation = Preparation(data=Objects.in_memory(), models=prod.registry, execution="e1", at="2026-11-30")
    run = preparation({"model": MODEL, "version": version})["run"]
    came = f"local, run {RUN}, "
    assert came in prod.sml("show", MODEL, run).out
    assert f"{RUN} in local" in prod.sml("versions", MODEL).out
    assert came in prod.sml("diff", MODEL, version, other).out
    assert prod.sml("diff", MODEL, version, other, "--json").code == 0
    assert prod.sml("runs", "--json").document[0]["origin"]["run"] == RUN
    assert prod.sml("report", MODEL, run, "-o", str(prod.file.parent / "report.html")).code == 0
    assert faults(prod.registry) == []
    # A version that goes on to a third stack says both.
    staged.stores["s3://models-1"] = Objects.in_memory()
    back = staged.sml(
        "promote", f"{MODEL}@{version}", "--from-outputs", str(prod.file), "--to-state", str(staged.state)
    )
    assert back.code == 0
    third = json.loads(files(staged.registry, version)["origin.json"])
    assert (third["stack"], third["origin"]["stack"]) == ("prod", "local")
    prod.registry.put(f"{MODEL}/versions/{version}/origin.json", b"garbage")
    assert faults(prod.registry) == [f"{MODEL}/versions/{version}/origin.json"]
    assert prod.sml("versions", MODEL).code == 0


def test_one_that_the_other_stack_has_trained_itself_keeps_its_own_card(staged: Staged, prod: Prod) -> None:
    version = register(staged.registry)
    assert register(prod.registry, run="bb02bb02bb02bb02") == version
    before = files(prod.registry, version)
    assert prod.promote(f"{MODEL}@{version}").code == 0
    assert files(prod.registry, version) == before
    assert len(prod.started) == 1


OTHER_FEATURES = [{**FEATURES[0], "name": "diameter"}, FEATURES[1]]


def refuses(prod: Prod, named: str, sentence: str, *options: str) -> None:
    before = list(prod.registry.keys(""))
    said = prod.promote(named, *options)
    assert (said.code, sentence in said.err, len(said.err.splitlines())) == (1, True, 1), said.err
    assert (prod.started, list(prod.registry.keys(""))) == ([], before)


def test_a_version_whose_clients_would_have_to_change_needs_a_word_that_they_know(staged: Staged, prod: Prod) -> None:
    version, live = register(staged.registry, features=OTHER_FEATURES), register(prod.registry)
    prod.live(live)
    changes = "the feature mean_radius is gone; the feature diameter is new; accepted, if they know: --accept-changes"
    refuses(prod, f"{MODEL}@{version}", changes)
    prod.registry.put(f"{MODEL}/versions/{live}/card.json", b"[]")
    refuses(prod, f"{MODEL}@{version}", f"cannot be compared with {live}, which is live in prod")
    assert prod.promote(f"{MODEL}@{version}", "--accept-changes").code == 0


def test_what_the_other_stack_does_not_take_is_one_sentence_and_nothing_is_written(staged: Staged, prod: Prod) -> None:
    version = register(staged.registry)
    refuses(prod, MODEL, f"no version of {MODEL} is live in the stack local; name one: {MODEL}@VERSION")
    refuses(prod, f"{MODEL}@zz", f"{MODEL} has no version zz")
    refuses(prod, "nobody@v1", "there is no model nobody in the stack local")
    outputs = json.loads(prod.file.read_text(encoding="utf-8"))
    prod.file.write_text(
        json.dumps({**outputs, "models": {"whales": staged.outputs["models"]["whales"]}}), encoding="utf-8"
    )
    refuses(prod, f"{MODEL}@{version}", f"there is no model {MODEL} in the stack prod; there are: whales")
    prod.file.write_text(json.dumps(outputs), encoding="utf-8")
    prod.live(version)
    refuses(prod, f"{MODEL}@{version}", f"version {version} of {MODEL} is live already in the stack prod")
    pointer = begin(promote_first(Pointer(), "v0", "first", 0.0), version, "second", 10, 1.0)
    prod.registry.put_json(f"{MODEL}/live.json", pointer.document())
    refuses(prod, f"{MODEL}@{version}", "is being released already in the stack prod")
    same = staged.sml("promote", f"{MODEL}@{version}", "--to-state", str(staged.state))
    assert (same.code, "local and local are the same stack" in same.err) == (1, True)
    for options in (["--from", "dev"], ["--accept-changes"], ["--wait"]):
        said = staged.sml("promote", MODEL, *options)
        assert (said.code, f"sml promote {MODEL}@VERSION --from STACK --to STACK" in said.err) == (1, True)


@pytest.mark.parametrize("name", ["model.onnx", "golden.json", "card.json", "report.html"])
def test_a_version_that_is_damaged_is_not_copied(name: str, staged: Staged, prod: Prod) -> None:
    version = register(staged.registry)
    staged.registry.put(f"{MODEL}/versions/{version}/{name}", b'{"task": "other"}')
    said = prod.promote(f"{MODEL}@{version}")
    assert (said.code, "damaged" in said.err, list(prod.registry.keys(""))) == (1, True, []), said.err


def test_nothing_that_lies_in_the_other_registry_is_overwritten(staged: Staged, prod: Prod) -> None:
    version = register(staged.registry)
    key = f"{MODEL}/versions/{version}/report.html"
    prod.registry.put(key, b"another")
    said = prod.promote(f"{MODEL}@{version}")
    assert (said.code, f"{key} holds something else already in the stack prod" in said.err) == (1, True)
    assert prod.registry.get(key) == b"another"
    assert "card.json" not in files(prod.registry, version)
    # What was begun goes on once that is out of the way.
    prod.registry.put(key, staged.registry.get(key))
    assert prod.promote(f"{MODEL}@{version}").code == 0
    prod.registry.put(f"{MODEL}/versions/{version}/model.onnx", b"x")
    said = prod.promote(f"{MODEL}@{version}")
    assert (said.code, "the stack prod has a version" in said.err, "that is damaged" in said.err) == (1, True, True)


def test_who_may_not_write_there_is_told_which_permission_is_missing(
    staged: Staged, prod: Prod, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = register(staged.registry)

    def refuse(key: str, _: bytes) -> bool:
        raise Forbidden(key)

    monkeypatch.setattr(prod.registry, "create", refuse)
    where = f"projects/_/buckets/models-2/objects/{MODEL}/versions/{version}/model.onnx"
    refuses(prod, f"{MODEL}@{version}", f"storage.objects.create or storage.objects.delete on {where} is missing")


def test_a_version_is_named_for_its_release_as_for_everything_else(staged: Staged) -> None:
    version = register(staged.registry)
    assert staged.sml("release", f"{MODEL}@{version[:5]}").code == 0
    assert staged.started == [{"model": MODEL, "version": version}]
    said = staged.sml("release", MODEL)
    assert (said.code, said.err) == (1, f"sml: which version of {MODEL}? `sml versions {MODEL}` lists them\n")
