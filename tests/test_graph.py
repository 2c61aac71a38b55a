from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pytest

from tests.graph import ABSENT, Graph, deploy, rewritten

BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"


class Vault(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:Vault", name)
        bucket = aws.s3.Bucket(
            f"{name}-bucket", force_destroy=False, opts=pulumi.ResourceOptions(parent=self, protect=True)
        )
        document = pulumi.Output.json_dumps({"Resource": bucket.arn})
        aws.s3.BucketPolicy(
            f"{name}-policy", bucket=bucket.bucket, policy=document, opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({"url": pulumi.Output.concat("s3://", bucket.bucket)})


@pytest.fixture
def graph() -> Graph:
    return deploy(lambda: Vault("data") and None)


def test_everything_has_landed_when_deploy_returns(graph: Graph) -> None:
    assert [made.name for made in graph] == ["data-bucket", "data-policy", "data"]


def test_documents_hold_the_arn_that_the_cloud_would_give(graph: Graph) -> None:
    assert graph.one(POLICY).document("policy") == {"Resource": "arn:aws:s3:::data-bucket-1a2b3c4"}


def test_parents_options_dependencies_and_registered_outputs_are_known(graph: Graph) -> None:
    bucket, policy, vault = graph.resources
    assert (vault.parent, bucket.parent) == ("", vault.urn)
    assert (vault.component, bucket.component) == (True, False)
    assert (bucket.protect, policy.protect) == (True, False)
    assert bucket.urn in policy.dependencies
    assert vault.registered == {"url": "s3://data-bucket-1a2b3c4"}
    assert graph.inside(vault) == (bucket, policy)
    assert graph.owner(bucket) is vault


def test_what_the_program_returns_is_resolved() -> None:
    graph = deploy(lambda: {"name": aws.s3.Bucket("data").bucket})
    assert graph.returned == {"name": "data-1a2b3c4"}


def test_an_error_of_the_program_is_raised() -> None:
    def program() -> None:
        aws.s3.Bucket("data")
        raise pulumi.RunError("wrong key")

    with pytest.raises(pulumi.RunError, match="wrong key"):
        deploy(program)
    assert len(deploy(lambda: aws.s3.Bucket("data")).resources) == 1, "the next program starts afresh"


def test_an_error_inside_an_apply_is_raised() -> None:
    def program() -> pulumi.Output[object]:
        return aws.s3.Bucket("data").bucket.apply(lambda name: {}[name])

    with pytest.raises(KeyError):
        deploy(program)


def test_two_resources_of_one_name_are_refused() -> None:
    with pytest.raises(AssertionError, match="two resources of one name"):
        deploy(lambda: (aws.s3.Bucket("data"), aws.s3.Bucket("data"))[0].bucket)


def test_a_mutation_changes_one_input_of_one_resource_of_a_copy(graph: Graph) -> None:
    broken = graph.mutated(BUCKET, "data-bucket", forceDestroy=True)
    assert broken.one(BUCKET).inputs["forceDestroy"] is True
    assert graph.one(BUCKET).inputs["forceDestroy"] is False
    assert "forceDestroy" not in graph.mutated(BUCKET, forceDestroy=ABSENT).one(BUCKET).inputs
    renamed = graph.mutated(POLICY, policy=rewritten(lambda document: document.update(Resource="*")))
    assert renamed.one(POLICY).document("policy") == {"Resource": "*"}
    assert [made.type for made in graph.without(POLICY)] == [BUCKET, "test:index:Vault"]


def test_a_mutation_that_changes_nothing_is_refused(graph: Graph) -> None:
    with pytest.raises(AssertionError, match="nothing of"):
        graph.mutated(BUCKET, forceDestroy=False)
    with pytest.raises(AssertionError, match="0 of"):
        graph.mutated("aws:sqs/queue:Queue", name="other")
