"""A preview makes nothing, and can still be read."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp
import pytest
from rich.console import Console

from localcloud.commands import graph
from localcloud.commands.progress import Progress
from localcloud.engine.program import evaluate
from localcloud.engine.recorder import Recorder
from localcloud.engine.stack_file import StackFile
from tests.localcloud.on_aws import Everything

STACK = StackFile(project="serverless-ml", name="paper", config={})


class Pair(pulumi.ComponentResource):
    def __init__(self) -> None:
        super().__init__("serverless-ml:aws:Pair", "pair")
        mine = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket("pair-bucket", opts=mine)
        account = aws.get_caller_identity_output().account_id
        policy = pulumi.Output.json_dumps({"Resource": pulumi.Output.concat(bucket.arn, "/*"), "Account": account})
        aws.s3.BucketPolicy("pair-policy", bucket=bucket.bucket, policy=policy, opts=mine)
        self.register_outputs({})


@pytest.fixture
def recorder() -> Recorder:
    recorder = Recorder()
    evaluate(STACK, recorder, Pair)
    return recorder


def test_outputs_are_symbols_that_say_where_they_come_from(recorder: Recorder) -> None:
    (policy,) = [one for one in recorder.declared if one.name == "pair-policy"]
    assert policy.inputs["bucket"] == "<pair-bucket.bucket>"
    assert json.loads(policy.inputs["policy"]) == {
        "Resource": "arn:aws:s3:<region>:<account>:<pair-bucket.arn>/*",
        "Account": "<getCallerIdentity.accountId>",
    }


def test_dependencies_are_recorded(recorder: Recorder) -> None:
    by_name = {one.name: one for one in recorder.declared}
    assert by_name["pair-policy"].depends_on == (by_name["pair-bucket"].urn,)


def test_inputs_win_over_symbols() -> None:
    recorder = Recorder()

    def program() -> None:
        pulumi.export("name", aws.s3.Bucket("b", bucket="given").bucket)

    assert evaluate(STACK, recorder, program) == {"name": "given"}


def test_what_a_cloud_adds_to_a_structure_is_a_symbol_too() -> None:
    recorder = Recorder()

    def program() -> None:
        service = gcp.cloudfunctionsv2.FunctionServiceConfigArgs(available_memory="512Mi")
        function = gcp.cloudfunctionsv2.Function("predict", location="europe-west1", service_config=service)
        pulumi.export("uri", function.service_config.uri)
        pulumi.export("memory", function.service_config.available_memory)

    outputs = evaluate(STACK, recorder, program)
    assert outputs == {"uri": "<predict.serviceConfig.uri>", "memory": "512Mi"}
    assert recorder.declared[0].inputs["serviceConfig"] == {"availableMemory": "512Mi"}, "nobody asked for the rest"


def test_every_type_that_the_embedded_cloud_can_make_can_be_previewed() -> None:
    recorder = Recorder()
    evaluate(STACK, recorder, Everything())
    assert "Calling __str__ on an Output" not in repr(recorder.declared)
    assert len(recorder.declared) > 30


def test_the_graph_is_the_same_bytes_every_time(recorder: Recorder, tmp_path: Path) -> None:
    again = Recorder()
    evaluate(STACK, again, Pair)
    for name, recorded in (("one", recorder), ("two", again)):
        graph.write(tmp_path / name, STACK, recorded.declared, {"url": "x"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    document = json.loads((tmp_path / "one").read_text(encoding="utf-8"))
    assert [one["component"] for one in document["resources"]].count(True) == 1
    assert document["outputs"] == {"url": "x"}


def test_a_file_is_named_by_its_digest_and_not_by_its_place(tmp_path: Path) -> None:
    recorder = Recorder()
    (tmp_path / "f.zip").write_bytes(b"zip")

    def program() -> None:
        aws.s3.BucketObjectv2("o", bucket="b", key="k", source=pulumi.FileAsset(str(tmp_path / "f.zip")))

    evaluate(STACK, recorder, program)
    graph.write(tmp_path / "graph.json", STACK, recorder.declared, {})
    text = (tmp_path / "graph.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert json.loads(text)["resources"][0]["inputs"]["source"]["file"] == "f.zip"


def test_the_tree_shows_resources_under_their_component(recorder: Recorder) -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    console.print(graph.tree("serverless-ml paper", recorder.declared))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines == [
        "serverless-ml paper",
        "└── Pair pair",
        "    ├── pair-bucket  Bucket",
        "    └── pair-policy  BucketPolicy",
    ]


def test_a_step_says_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress().step("deploy") as step:
        step.text = "3 resources"
    assert capsys.readouterr().out.split() == ["deploy", "3", "resources", "0.0", "s"]


def test_a_step_that_fails_prints_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), Progress().step("deploy"):
        raise ZeroDivisionError
    assert capsys.readouterr().out == ""
