"""Paths of a model with a function of its own go before the variable, in both gateways here."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws

from infra import serving
from infra.api_policy import Cors, IamAuth, Throttling
from infra.aws.function import ALIAS
from infra.aws.gateway import Api
from infra.settings import Settings
from infra.vocabulary import ApiArgs, Route
from interface import operations
from localcloud.gcp.apigateway import openapi
from sml.aws.account import Account
from sml.clouds import Way
from tests.infra.gcp import whole as gcp
from tests.localcloud.conftest import AwsLab
from tests.localcloud.on_aws import code, trust

ROUTES = {operation.id: (operation.method, operation.path) for operation in operations.ROUTES}

MODELS, SCALING = ["first", "own", "third"], {"models": {"own": {"profile": "latency"}}}
HANDLER = """
def handle(event, context):
    print("called", flush=True)
    return {"statusCode": 200, "body": "NAME"}
"""


def calls() -> list[tuple[str, str, str]]:
    """Return a request for every route: method, path, and the group that must answer."""
    return [
        (method.replace("ANY", "PUT"), _filled(path, model), group)
        for method, path in ROUTES.values()
        for model, group in (("first", "predict"), ("own", "predict-own"), ("nobody", "predict"))
        if "{model}" in path or model == "first"
    ]


def _filled(path: str, model: str) -> str:
    names = {"{model}": model, "{version}": "v", "{job}": "j", "{proxy+}": "repository/index"}
    for name, value in names.items():
        path = path.replace(name, value)
    return path


class Answering(pulumi.ComponentResource):
    """A function that answers with the name of its group."""

    ref: pulumi.Output[str]
    name: pulumi.Output[str]
    logs: pulumi.Output[str]

    def __init__(self, name: str) -> None:
        super().__init__("test:tests:Answering", name)
        mine = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(f"{name}-role", assume_role_policy=trust("lambda.amazonaws.com"), opts=mine)
        function = aws.lambda_.Function(
            f"{name}-function",
            role=role.arn,
            handler="main.handle",
            runtime="python3.11",
            code=code(HANDLER.replace("NAME", name)),
            publish=True,
            opts=mine,
        )
        alias = aws.lambda_.Alias(
            f"{name}-alias", name=ALIAS, function_name=function.name, function_version=function.version, opts=mine
        )
        self.ref, self.name, self.logs = alias.arn, alias.function_name, function.arn


def program() -> None:
    settings = Settings.parse({"cloud": "aws", "models": MODELS, "scaling": SCALING}, where="")
    functions = {group.name: Answering(group.name) for group in serving.groups(settings)}
    api = Api(
        "api",
        ApiArgs(
            routes=tuple(
                Route(method=path.method, path=path.path, function=functions[path.group.name], operation=path.operation)
                for path in serving.paths(settings)
            ),
            auth=IamAuth(),
            throttling=Throttling(),
            cors=Cors(),
            timeout_seconds=20,
            log_days=1,
        ),
    )
    pulumi.export("endpoint", api.endpoint)
    pulumi.export("callers", api.callers)


def test_the_embedded_aws_takes_the_path_that_says_more_of_whoever_signs(aws_lab: AwsLab) -> None:
    aws_lab.deploy(program)
    answered = []
    endpoint, entrance = aws_lab.outputs["endpoint"], aws_lab.cloud.entrance
    account = Account(Way(endpoint=entrance.endpoint, options=entrance.store_options))
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=60)
    connection.request(*calls()[0][:2], b"{}")
    refused = connection.getresponse()
    assert (refused.status, json.loads(refused.read())) == (403, {"message": "Forbidden"})
    for method, path, _ in calls():
        headers = account.signed(method, f"{endpoint}{path}", b"{}", aws_lab.outputs["callers"])
        assert f"Credential={entrance.credentials['access_key_id']}/" in headers["Authorization"]
        connection.request(method, path, b"{}", dict(headers))
        answered.append((method, path, connection.getresponse().read().decode()))
    connection.close()
    assert answered == calls()


def test_the_gateway_of_gcp_takes_the_path_that_says_more() -> None:
    graph = gcp.whole(models=MODELS, scaling=SCALING)
    groups = {
        function.outputs["serviceConfig"]["uri"]: function.name.removesuffix("-function")
        for function in graph.of(gcp.FUNCTION)
    }
    paths = openapi.paths(gcp.openapi(graph.one(gcp.CONFIG)))
    answered = []
    for method, path, _ in calls():
        taken = next(known for known in paths if known.shape.fullmatch(path))
        answered.append((method, path, groups[taken.operations[method].address]))
    assert answered == calls()
