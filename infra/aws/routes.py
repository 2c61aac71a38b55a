"""Routes of an API, their authorization, and the integrations that lead to the functions."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.api_policy import Auth, IamAuth, JwtAuth, NoAuth
from infra.aws.function import ALIAS
from infra.vocabulary import ApiArgs, Function


def declare(name: str, args: ApiArgs, api: aws.apigatewayv2.Api, parent: pulumi.Resource) -> None:
    """Declare every route with the API's authorization, and one integration and permission for each function."""
    authorization, authorizer = _authorization(name, args.auth, api, parent)
    targets: dict[str, pulumi.Output[str]] = {}
    for route in args.routes:
        label = _label(route.function)
        if label not in targets:
            targets[label] = _integration(f"{name}-{label}", args, api, route.function, parent)
        aws.apigatewayv2.Route(
            f"{name}-{route.operation}",
            api_id=api.id,
            route_key=f"{route.method} {route.path}",
            operation_name=route.operation,
            target=targets[label],
            authorization_type=authorization,
            authorizer_id=authorizer,
            opts=pulumi.ResourceOptions(parent=parent),
        )


def _integration(
    name: str, args: ApiArgs, api: aws.apigatewayv2.Api, function: Function, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Declare a function's integration and the permission to call it; return the target of its routes."""
    permission = aws.lambda_.Permission(
        f"{name}-invoke",
        action="lambda:InvokeFunction",
        principal="apigateway.amazonaws.com",
        function=function.name,
        qualifier=ALIAS,
        source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    integration = aws.apigatewayv2.Integration(
        f"{name}-integration",
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_uri=function.ref,
        payload_format_version="2.0",
        timeout_milliseconds=args.timeout_seconds * 1000,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[permission]),
    )
    return pulumi.Output.concat("integrations/", integration.id)


def _authorization(
    name: str, auth: Auth, api: aws.apigatewayv2.Api, parent: pulumi.Resource
) -> tuple[str, pulumi.Output[str] | None]:
    """Return the type of authorization, and the id of its authorizer where it needs one."""
    match auth:
        case IamAuth():
            return "AWS_IAM", None
        case NoAuth():
            return "NONE", None
        case JwtAuth():
            authorizer = aws.apigatewayv2.Authorizer(
                f"{name}-authorizer",
                api_id=api.id,
                authorizer_type="JWT",
                identity_sources=["$request.header.Authorization"],
                jwt_configuration={"issuer": auth.issuer, "audiences": list(auth.audience)},
                opts=pulumi.ResourceOptions(parent=parent),
            )
            return "JWT", authorizer.id


def _label(function: Function) -> str:
    """Return a function's logical name. Raise `TypeError` for one of another cloud."""
    if not isinstance(function, pulumi.Resource):
        raise TypeError(f"{type(function).__name__} is not a function of this cloud")
    return function.pulumi_resource_name
