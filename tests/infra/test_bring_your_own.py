"""A bring-your-own model is deployed by its name alone: its file is uploaded to where its arrival makes a version of
it.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import pulumi
import pytest

from infra import bring_your_own, chosen_models, clouds
from infra.aws.cron import expression
from infra.settings import Settings
from infra.vocabulary import Store, UploadArgs
from models.bring_your_own import BringYourOwn
from models.section import ContractError
from tests.graph import Graph
from tests.infra import sample
from tests.infra.aws_facts import read as read_aws
from tests.infra.gcp_facts import read as read_gcp

READ = {"aws": read_aws, "gcp": read_gcp}
CONTRACT = BringYourOwn.parse({"name": "tiny", "task": "finished", "gate": {"maximum_bytes": 100}}, "model.yaml")
every_whole = pytest.mark.parametrize(
    "w", [importlib.import_module(f"tests.infra.{name}.whole") for name in clouds.names()], ids=clouds.names()
)


@every_whole
def test_the_file_goes_where_it_is_waited_for_under_its_digest(w: ModuleType) -> None:
    [upload] = READ[w.CLOUD.name](w.graph()).uploads
    digest = hashlib.sha256(Path(sample.__file__).read_bytes()).hexdigest()[:16]
    assert upload.key == f"file_type/incoming/{digest}.onnx"
    assert upload.file == sample.__file__
    assert upload.bucket.startswith("data-bucket")
    assert {"data", "datasets"} <= upload.after


@every_whole
def test_its_arrival_is_looked_after_and_nothing_is_trained(w: ModuleType) -> None:
    schedules = {schedule.name: schedule for schedule in READ[w.CLOUD.name](w.graph()).schedules}
    assert "retrain-file_type" not in schedules
    assert json.loads(schedules["republish-file_type"].input)["model"] == "file_type"
    assert schedules["republish-file_type"].target == w.graph().returned["workflow"]


@every_whole
def test_a_stack_without_a_finished_model_uploads_nothing_but_code(w: ModuleType) -> None:
    facts = READ[w.CLOUD.name](w.whole(models=["breast_cancer"]))
    assert facts.uploads == ()
    of_models = [s.name for s in facts.schedules if s.name.startswith(("retrain-", "republish-"))]
    assert of_models == ["retrain-breast_cancer"]


@every_whole
def test_an_upload_before_its_arrival_is_waited_for_would_be_seen(w: ModuleType) -> None:
    graph: Graph = w.graph()
    upload = next(resource for resource in graph if resource.component and resource.name == "publish-file_type")
    broken = graph.swapped(upload, replace(upload, dependencies=()))
    assert "datasets" not in READ[w.CLOUD.name](broken).uploads[0].after


def test_the_real_one_is_known_by_its_contract() -> None:
    files = bring_your_own.models(["breast_cancer", "file_type"])
    assert [(name, file.name) for name, file in files.items()] == [("file_type", "model.onnx")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "models/tiny/model.onnx is missing; its model.yaml says task: finished"),
        (b"", "models/tiny/model.onnx: 0 bytes; accepted: 1 to 100"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "models/tiny/model.onnx: the file is no ONNX model: it is a Git",
        ),
        (b"x" * 101, "models/tiny/model.onnx: 101 bytes; accepted: 1 to 100 (gate.maximum_bytes of its model.yaml)"),
    ],
)
def test_a_file_that_cannot_be_admitted_stops_the_program(content: bytes | None, message: str, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    if content is not None:
        (tmp_path / "tiny" / "model.onnx").write_bytes(content)
    with pytest.raises(pulumi.RunError) as caught:
        bring_your_own.require_file("tiny", CONTRACT, tmp_path)
    assert str(caught.value).startswith(message)


def test_the_mistakes_of_all_models_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(name: str) -> BringYourOwn:
        raise ContractError(f"models/{name}/model.yaml: line 1: is wrong")

    monkeypatch.setattr(chosen_models, "load", wrong)
    settings = Settings.parse({"cloud": "aws", "models": ["breast_cancer", "file_type"]}, where="Pulumi.test.yaml")
    with pytest.raises(pulumi.RunError) as caught:
        chosen_models.require(settings)
    assert str(caught.value).splitlines() == [
        "models/breast_cancer/model.yaml: line 1: is wrong",
        "models/file_type/model.yaml: line 1: is wrong",
    ]


def test_every_quarter_of_an_hour_is_what_the_clouds_understand_by_it() -> None:
    assert expression(bring_your_own.EVERY_QUARTER) == "cron(0,15,30,45 * * * ? *)"


@every_whole
def test_a_file_goes_into_a_store_of_the_same_cloud_alone(w: ModuleType) -> None:
    elsewhere = SimpleNamespace(name=pulumi.Output.from_input("elsewhere"))
    args = UploadArgs(store=cast("Store", elsewhere), key="a/incoming/b", file=Path(__file__))
    with pytest.raises(TypeError, match="upload publish: SimpleNamespace is no store of this cloud"):
        w.CLOUD.upload("publish", args)
