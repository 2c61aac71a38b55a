"""What the Pulumi CLI is answered, on a cloud that is a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pulumi
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from localcloud.cli.installation import ADDRESS
from localcloud.cli.properties import GENERATION, UNKNOWN, Stored, plain, read, write
from localcloud.cli.provider import Symbols, serve
from localcloud.engine.cloud import Provider
from localcloud.engine.program import Declared, Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler

URN = "urn:pulumi:dev::shop::serverless-ml:index:Queue$aws:sqs/queue:Queue::work"
POLICY = "urn:pulumi:dev::shop::aws:s3/bucketPolicy:BucketPolicy::store"
NONE, SOME = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME


class Cloud:
    """Queues by their ids."""

    session = None
    absent: Mapping[str, str] = {"aws:budgets/budget:Budget": "nothing here costs money"}

    def __init__(self) -> None:
        self.queues: dict[str, dict[str, Any]] = {}
        self.handlers = {
            "aws:sqs/queue:Queue": ResourceHandler(
                create=self._create,
                update=self._update,
                delete=self._delete,
                exists=lambda _, resource: resource.id in self.queues,
                fixed=frozenset({"name", "fifoQueue"}),
                renews=frozenset({"url"}),
            ),
            "aws:s3/bucketPolicy:BucketPolicy": ResourceHandler(
                create=self._create, reads=lambda _, resource: {"policy": "edited"} if resource.id == "edited" else {}
            ),
        }

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"aws:index/getRegion:getRegion": {"name": args["region"]}}[token]

    def _create(self, order: Order) -> Registered:
        name = order.name()
        if name in self.queues:
            raise ValueError(f"queue {name} exists")
        self.queues[name] = dict(order.inputs)
        return Registered(id=name, outputs={**order.inputs, "name": name, "url": "first", "arn": f"arn:{name}"})

    def _update(self, order: Order, before: Resource) -> Registered:
        self.queues[before.id] = dict(order.inputs)
        return Registered(id=before.id, outputs={**before.outputs, **order.inputs, "url": "second"})

    def _delete(self, _: Any, resource: Resource) -> None:
        del self.queues[resource.id]


class Cli:
    """Calls a provider as the CLI does."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def check(self, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None, seed: bytes = b"seed") -> Any:
        request = provider_pb2.CheckRequest(urn=URN, news=write(news), olds=write(olds or {}), randomSeed=seed)
        return plain(self._stub.Check(request).inputs)

    def create(self, inputs: Mapping[str, Any], urn: str = URN, preview: bool = False) -> tuple[str, dict[str, Any]]:
        answer = self._stub.Create(provider_pb2.CreateRequest(urn=urn, properties=write(inputs), preview=preview))
        return answer.id, plain(answer.properties)

    def diff(self, before: Mapping[str, Any], now: Mapping[str, Any], urn: str = URN) -> Any:
        return self._stub.Diff(provider_pb2.DiffRequest(urn=urn, old_inputs=write(before), news=write(now)))

    def update(self, identity: str, before: Any, outputs: Any, now: Any, preview: bool = False) -> dict[str, Any]:
        request = provider_pb2.UpdateRequest(
            urn=URN, id=identity, old_inputs=write(before), olds=write(outputs), news=write(now), preview=preview
        )
        return plain(self._stub.Update(request).properties)

    def read(self, identity: str, inputs: Any, outputs: Any, urn: str = URN) -> Any:
        request = provider_pb2.ReadRequest(urn=urn, id=identity, inputs=write(inputs), properties=write(outputs))
        return self._stub.Read(request)

    def delete(self, identity: str, inputs: Any, outputs: Any) -> None:
        self._stub.Delete(
            provider_pb2.DeleteRequest(urn=URN, id=identity, old_inputs=write(inputs), properties=write(outputs))
        )

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=write(args)))
        return plain(getattr(answer, "return"))


def sentence(error: Any) -> str:
    return error.details()


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def cli(cloud: Cloud, tmp_path: Path) -> Any:
    yield from _served(cloud, tmp_path)


@pytest.fixture
def symbolic(tmp_path: Path) -> Any:
    yield from _served(Symbols(), tmp_path)


def _served(provider: Provider, state: Path) -> Any:
    with serve("aws", provider, state):
        client = Cli((state / ADDRESS.format(package="aws")).read_text().strip())
        yield client
        client.close()


def test_a_resource_is_created_updated_found_and_deleted(cli: Cli, cloud: Cloud) -> None:
    inputs = cli.check({"delaySeconds": 5})
    identity, outputs = cli.create(inputs)
    assert cloud.queues == {identity: {"delaySeconds": 5}}
    changed = cli.check({"delaySeconds": 7}, olds=inputs)
    after = cli.update(identity, inputs, outputs, changed)
    assert cloud.queues == {identity: {"delaySeconds": 7}}
    assert after == {"delaySeconds": 7, "name": identity, "url": "second", "arn": f"arn:{identity}"}
    assert cli.read(identity, changed, after).id == identity
    cli.delete(identity, changed, after)
    assert cloud.queues == {}
    assert cli.read(identity, changed, after).id == ""


def test_what_was_removed_already_is_deleted_without_an_error(cli: Cli, cloud: Cloud) -> None:
    inputs = cli.check({})
    identity, outputs = cli.create(inputs)
    cloud.queues.clear()
    cli.delete(identity, inputs, outputs)


def test_what_was_changed_behind_its_back_is_read(cli: Cli) -> None:
    for identity, policy in (("edited", "edited"), ("left alone", "ours")):
        found = cli.read(identity, {"policy": "ours"}, {"policy": "ours", "arn": "arn"}, urn=POLICY)
        assert (plain(found.inputs), plain(found.properties)) == ({"policy": policy}, {"policy": policy, "arn": "arn"})


def test_labels_and_consent_to_be_emptied_replace_nothing_of_any_type(cli: Cli) -> None:
    found = cli.diff({"forceDestroy": False, "tags": {}}, {"forceDestroy": True, "tags": {"a": "b"}}, urn=POLICY)
    assert (list(found.diffs), list(found.replaces)) == (["forceDestroy", "tags"], [])
    assert list(cli.diff({"bucket": "a"}, {"bucket": "b"}, urn=POLICY).replaces) == ["bucket"]


def test_a_name_stays_with_its_resource_and_a_replacement_gets_another(cli: Cli) -> None:
    inputs = cli.check({"fifoQueue": False}, seed=b"one.")
    assert cli.check({"fifoQueue": False}, olds=inputs, seed=b"two.")[GENERATION] == inputs[GENERATION]
    first, _ = cli.create(inputs)
    second, _ = cli.create(cli.check({"fifoQueue": True}, seed=b"two."))
    assert first != second
    assert first.startswith("work-")


def test_a_change_names_what_differs_and_what_replaces(cli: Cli) -> None:
    before = {"delaySeconds": 5, "fifoQueue": False, GENERATION: 1}
    assert cli.diff(before, {"delaySeconds": 5, "fifoQueue": False, GENERATION: 2}).changes == NONE
    change = cli.diff(before, {"delaySeconds": 7, "fifoQueue": False})
    assert (change.changes, list(change.diffs), list(change.replaces)) == (SOME, ["delaySeconds"], [])
    change = cli.diff(before, {"delaySeconds": 7, "fifoQueue": True})
    assert (list(change.diffs), list(change.replaces)) == (["delaySeconds", "fifoQueue"], ["fifoQueue"])
    assert not change.deleteBeforeReplace


def test_a_replacement_under_the_same_name_deletes_the_old_one_first(cli: Cli) -> None:
    named = {"name": "work", "fifoQueue": False}
    assert cli.diff(named, {**named, "fifoQueue": True}).deleteBeforeReplace
    assert not cli.diff(named, {"name": "other", "fifoQueue": True}).deleteBeforeReplace


def test_documents_are_compared_by_what_they_say(cli: Cli) -> None:
    typed, retyped = '{"a": 1, "b": [2]}', '{"b":[2],"a":1}'
    assert cli.diff({"policy": typed}, {"policy": retyped}).changes == NONE
    assert cli.diff({"policy": typed}, {"policy": '{"a": 1, "b": [3]}'}).changes == SOME
    assert cli.diff({"policy": "{not JSON"}, {"policy": "{not  JSON"}).changes == SOME


def test_bytes_that_matter_are_compared_as_they_are(cli: Cli) -> None:
    assert cli.diff({"content": '{"a": 1}'}, {"content": '{"a":1}'}).changes == SOME
    typed, retyped = {"variables": {"PLAN": "[1, 2]"}}, {"variables": {"PLAN": "[1,2]"}}
    assert cli.diff({"environment": typed}, {"environment": retyped}).changes == SOME
    assert cli.diff({"fifoQueue": True}, {"fifoQueue": 1}).changes == SOME
    assert cli.diff({"policy": '{"a": true}'}, {"policy": '{"a": 1}'}).changes == SOME


def test_an_archive_is_compared_by_its_hash_which_is_all_that_the_state_keeps(cli: Cli) -> None:
    def archive(content: str, **path: str) -> dict[str, Any]:
        signature = {"4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7"}
        return {"code": {**signature, "hash": content, **path}}

    assert cli.diff(archive("abc"), archive("abc", path="elsewhere/predict.zip")).changes == NONE
    assert cli.diff(archive("abc"), archive("abd", path="predict.zip")).changes == SOME


def test_a_preview_knows_of_a_new_resource_what_its_inputs_say(cli: Cli, cloud: Cloud) -> None:
    assert cli.create({"delaySeconds": 5}, preview=True) == ("", {"delaySeconds": 5})
    assert cloud.queues == {}


def test_a_preview_does_not_know_what_the_cloud_adds_within_an_input(symbolic: Cli) -> None:
    urn = "urn:pulumi:dev::shop::gcp:cloudfunctionsv2/function:Function::predict"
    _, outputs = symbolic.create({"serviceConfig": {"availableMemory": "1Gi"}}, urn, preview=True)
    assert outputs["serviceConfig"]["uri"] == UNKNOWN
    assert outputs["serviceConfig"]["availableMemory"] == "1Gi"


def test_a_preview_of_an_update_keeps_all_but_what_the_update_renews(cli: Cli, cloud: Cloud) -> None:
    inputs = cli.check({"delaySeconds": 5})
    identity, outputs = cli.create(inputs)
    foreseen = cli.update(identity, inputs, outputs, cli.check({"delaySeconds": 7}, olds=inputs), preview=True)
    kept = {key: value for key, value in foreseen.items() if key != GENERATION}
    assert kept == {"delaySeconds": 7, "name": identity, "url": UNKNOWN, "arn": f"arn:{identity}"}
    assert cloud.queues == {identity: {"delaySeconds": 5}}


def test_an_update_keeps_the_name_under_another_logical_one(cloud: Cloud) -> None:
    declared = Declared(urn="urn:pulumi:dev::shop::a:b:C::rp2", type="", name="rp2", parent="", custom=True, inputs={})
    before = Resource(declared=declared, registered=Registered(id="r:rp-1", outputs={"name": "rp-1"}), fingerprint="")
    assert Order(session=None, declared=declared, before=before).name() == "rp-1"
    assert Order(session=None, declared=declared).name().startswith("rp2-")


@pytest.mark.parametrize(
    ("asset", "kind"),
    [
        ({"text": ""}, pulumi.StringAsset),
        ({"path": "a.zip"}, pulumi.FileAsset),
        ({"uri": "https://example.org/a"}, pulumi.RemoteAsset),
        ({"hash": "abc"}, Stored),
    ],
)
def test_an_asset_is_what_it_was_declared_as(asset: dict[str, str], kind: type) -> None:
    signature = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17"}
    assert isinstance(read(write({"source": {**signature, **asset}}))["source"], kind)


def test_an_error_that_is_too_long_for_a_header_is_cut(cli: Cli, cloud: Cloud) -> None:
    cli.create({"name": "w" * 20_000})
    with pytest.raises(grpc.RpcError) as raised:
        cli.create({"name": "w" * 20_000})
    assert sentence(raised.value).startswith("queue www")


def test_two_clouds_are_served_at_once_and_each_ends_alone(tmp_path: Path) -> None:
    with serve("aws", Symbols(), tmp_path):
        with serve("gcp", Symbols(), tmp_path):
            assert {path.name for path in tmp_path.iterdir()} == {"engine-aws.address", "engine-gcp.address"}
        assert {path.name for path in tmp_path.iterdir()} == {"engine-aws.address"}


def test_an_error_of_the_cloud_is_the_sentence_that_the_cloud_says(cli: Cli) -> None:
    cli.create({"name": "work"})
    with pytest.raises(grpc.RpcError) as raised:
        cli.create({"name": "work"})
    assert sentence(raised.value) == "queue work exists"


def test_what_is_not_known_when_it_is_created_is_refused_by_its_name(cli: Cli, cloud: Cloud) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        cli.create({"policy": {"deep": [UNKNOWN]}, "name": "work"})
    assert sentence(raised.value) == f"{URN}: not known yet: policy"
    assert cloud.queues == {}


def test_a_type_without_a_handler_is_refused_and_one_that_is_known_to_be_absent_is_accepted(cli: Cli) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        cli.create({}, "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::data")
    assert "aws:s3/bucket:Bucket data: the local cloud has no resource handler" in sentence(raised.value)
    identity, _ = cli.create({}, "urn:pulumi:dev::shop::aws:budgets/budget:Budget::month")
    assert identity.startswith("month-")


def test_provider_functions_answer_and_unknown_ones_are_refused(cli: Cli) -> None:
    assert cli.invoke("aws:index/getRegion:getRegion", {"region": "eu-west-1"}) == {"name": "eu-west-1"}
    with pytest.raises(grpc.RpcError) as raised:
        cli.invoke("aws:index/getZones:getZones", {})
    assert sentence(raised.value) == "aws:index/getZones:getZones: the local cloud has no such provider function"


def test_without_a_cloud_the_outputs_are_symbols(symbolic: Cli) -> None:
    identity, outputs = symbolic.create({"delaySeconds": 5})
    assert identity == "<work.id>"
    assert outputs["arn"] == "arn:aws:sqs:<region>:<account>:<work.arn>"
    assert outputs["delaySeconds"] == 5
