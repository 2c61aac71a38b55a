"""The API: an API Gateway HTTP API."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.aws.function import ALIAS
from infra.aws.logs import log_group
from infra.settings import Cors, IamAuth, JwtAuth, NoAuth
from infra.vocabulary import ApiArgs, Function

ACCESS_LOG = json.dumps(
    {
        "requestId": "$context.requestId",
        "requestTime": "$context.requestTime",
        "routeKey": "$context.routeKey",
        "status": "$context.status",
        "responseLatency": "$context.responseLatency",
        "responseLength": "$context.responseLength",
        "integrationStatus": "$context.integration.status",
        "integrationLatency": "$context.integration.latency",
        "error": "$context.error.message",
    }
)
"""Nothing of a caller is logged: no address, no identity, no header, no body."""
ALLOWED_HEADERS = ("authorization", "content-type", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
CORS_SECONDS = 600


class Api(pulumi.ComponentResource):
    """An HTTP API with throttling and access logs; a function is called only through its routes.

    Functions get payload format 2.0. Every route takes the authorization asked for; an API
    that is open to everyone carries the reason as its description.
    """

    endpoint: pulumi.Output[str]

    def __init__(self, name: str, args: ApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Api", name, None, opts)
        api = aws.apigatewayv2.Api(
            f"{name}-http",
            protocol_type="HTTP",
            description=_description(args),
            cors_configuration=_cors(args.cors, {route.method for route in args.routes}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._stage(name, args, api)
        self._routes(name, args, api)
        self.endpoint = api.api_endpoint
        self.register_outputs({"endpoint": self.endpoint})

    def _stage(self, name: str, args: ApiArgs, api: aws.apigatewayv2.Api) -> None:
        logs = log_group(name, args.log_days, self, delivered_for="apis")
        aws.apigatewayv2.Stage(
            f"{name}-stage",
            api_id=api.id,
            name="$default",
            auto_deploy=True,
            default_route_settings={
                "throttling_rate_limit": args.throttling.rate,
                "throttling_burst_limit": args.throttling.burst,
                "detailed_metrics_enabled": True,
            },
            access_log_settings={"destination_arn": logs.arn, "format": ACCESS_LOG},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _routes(self, name: str, args: ApiArgs, api: aws.apigatewayv2.Api) -> None:
        authorization = self._authorization(name, args, api)
        targets: dict[str, pulumi.Output[str]] = {}
        for route in args.routes:
            called = _label(route.function)
            if called not in targets:
                targets[called] = self._integration(f"{name}-{called}", args, api, route.function)
            aws.apigatewayv2.Route(
                f"{name}-{route.operation}",
                api_id=api.id,
                route_key=f"{route.method} {route.path}",
                operation_name=route.operation,
                target=targets[called],
                authorization_type=authorization[0],
                authorizer_id=authorization[1],
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _integration(
        self, name: str, args: ApiArgs, api: aws.apigatewayv2.Api, function: Function
    ) -> pulumi.Output[str]:
        mine = pulumi.ResourceOptions(parent=self)
        permission = aws.lambda_.Permission(
            f"{name}-invoke",
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            function=function.name,
            qualifier=ALIAS,
            source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
            opts=mine,
        )
        integration = aws.apigatewayv2.Integration(
            f"{name}-integration",
            api_id=api.id,
            integration_type="AWS_PROXY",
            integration_uri=function.ref,
            payload_format_version="2.0",
            timeout_milliseconds=args.timeout_seconds * 1000,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        return pulumi.Output.concat("integrations/", integration.id)

    def _authorization(
        self, name: str, args: ApiArgs, api: aws.apigatewayv2.Api
    ) -> tuple[str, pulumi.Output[str] | None]:
        match args.auth:
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
                    jwt_configuration={"issuer": args.auth.issuer, "audiences": list(args.auth.audience)},
                    opts=pulumi.ResourceOptions(parent=self),
                )
                return "JWT", authorizer.id


def _label(function: Function) -> str:
    if not isinstance(function, pulumi.Resource):
        raise TypeError(f"{type(function).__name__} is not a function of this cloud")
    return function.pulumi_resource_name


def _description(args: ApiArgs) -> str:
    if isinstance(args.auth, NoAuth):
        return f"Open to everyone: {args.auth.reason}"
    return "Predictions"


def _cors(cors: Cors, methods: set[str]) -> aws.apigatewayv2.ApiCorsConfigurationArgs | None:
    if not cors.origins:
        return None
    return aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=list(cors.origins),
        allow_methods=sorted(methods),
        allow_headers=list(ALLOWED_HEADERS),
        allow_credentials=False,
        max_age=CORS_SECONDS,
    )
