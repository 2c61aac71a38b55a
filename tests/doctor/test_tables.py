"""The tables of the checks, compared with the resources of the stacks."""

from __future__ import annotations

import json

import pytest

from doctor.aws import checks as aws_checks
from doctor.aws import permissions as aws_permissions
from doctor.gcp import checks as gcp_checks
from doctor.gcp import permissions as gcp_permissions
from doctor.stack import Stack
from localcloud.engine.program import Declared
from tests.root import ROOT

URNS = [urn for path in sorted(ROOT.glob("tests/urns/*.json")) for urn in json.loads(path.read_text("utf-8"))]
TYPES = sorted({urn.split("::")[0].rsplit("$", 1)[-1] for urn in URNS})


def declared(kind: str, **inputs: str) -> Declared:
    return Declared(urn=kind, type=kind, name="x", parent="", custom=True, inputs=inputs)


def a_stack(*resources: Declared) -> Stack:
    return Stack(config={}, resources=resources, wants=())


def test_there_are_types_of_both_clouds_to_compare_with() -> None:
    assert {kind.split(":")[0] for kind in TYPES} >= {"aws", "gcp"}


def test_every_type_of_every_stack_has_its_permissions() -> None:
    assert aws_permissions.unlisted(TYPES) == []
    assert gcp_permissions.unlisted(TYPES) == []


def test_a_type_that_no_table_has_is_said_to_be_unknown() -> None:
    stack = a_stack(declared("aws:ec2/vpc:Vpc"))
    identity = aws_checks.Identity(account="1", arn="arn:aws:iam::1:user/me")
    first, _ = aws_checks.judge_rights(aws_checks.Rights(identity=identity, refused=()), stack)
    assert first.text == "what creating aws:ec2/vpc:Vpc needs is in no table here"
    gcp_stack = a_stack(declared("gcp:compute/network:Network"))
    first, _ = gcp_checks.judge_rights(gcp_checks.Rights(project="p", member="user:me", refused=()), gcp_stack)
    assert first.text == "what creating gcp:compute/network:Network needs is in no table here"


def test_every_permission_has_a_role_that_grants_it_and_no_role_is_left_over() -> None:
    needed = {permission for row in gcp_permissions.PERMISSIONS.values() for permission in row}
    assert needed == set(gcp_permissions.ROLES)


def test_every_service_of_a_module_is_of_a_module_that_a_stack_uses() -> None:
    modules = {kind.split(":")[1].split("/")[0] for kind in TYPES if kind.startswith("gcp:")}
    assert {"apigateway", "eventarc", "cloudfunctionsv2", "workflows"} <= modules & set(gcp_checks.LOCATIONS)


@pytest.mark.parametrize(("name", "stated"), [("mine", ["mine"]), ("<other.name>", []), ("a-<other.id>", [])])
def test_a_name_is_stated_by_the_program_unless_it_follows_from_another_resource(name: str, stated: list[str]) -> None:
    stack = a_stack(declared("aws:s3/bucket:Bucket", bucket=name), declared("aws:s3/bucket:Bucket"))
    assert list(stack.named("aws:s3/bucket:Bucket", "bucket")) == stated
