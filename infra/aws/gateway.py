"""API Gateway HTTP APIs."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.api_policy import Cors, IamAuth, NoAuth
from infra.aws import routes
from infra.aws.logs import log_group
from infra.keep import kept
from infra.vocabulary import ANY, ApiArgs

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

    Functions get payload format 2.0. Every route has the API's authorization; an API that is open to
    everyone carries the reason as its description. A caller who signs requests needs
    `execute-api:Invoke` on `callers`.
    """

    endpoint: pulumi.Output[str]
    callers: pulumi.Output[str]

    def __init__(self, name: str, args: ApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Api", name, None, opts)
        api = aws.apigatewayv2.Api(
            f"{name}-http",
            protocol_type="HTTP",
            description=_description(args),
            cors_configuration=_cors(args.cors, {route.method for route in args.routes} - {ANY}),
            opts=kept(pulumi.ResourceOptions(parent=self), args.keep),
        )
        self._stage(name, args, api)
        routes.declare(name, args, api, self)
        self.identity = api.id
        self.endpoint = api.api_endpoint
        signed = isinstance(args.auth, IamAuth)
        self.callers = pulumi.Output.concat(api.execution_arn, "/*/*") if signed else pulumi.Output.from_input("")
        self.register_outputs({"endpoint": self.endpoint, "callers": self.callers})

    def _stage(self, name: str, args: ApiArgs, api: aws.apigatewayv2.Api) -> None:
        logs = log_group(name, args.log_days, args.keep, self, delivered_for="apis")
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
            opts=kept(pulumi.ResourceOptions(parent=self), args.keep),
        )


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
