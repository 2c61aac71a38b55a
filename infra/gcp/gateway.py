"""API Gateway."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra.api_policy import Auth, IamAuth, JwtAuth, NoAuth
from infra.gcp.access import allow_invocation
from infra.gcp.logs import keep_logs
from infra.gcp.project import region
from infra.gcp.routes import HttpServer, Issuer, document
from infra.keep import kept
from infra.vocabulary import ApiArgs, Route

KEYS_OF_ACCOUNT = "https://www.googleapis.com/robot/v1/metadata/x509/"


class Api(pulumi.ComponentResource):
    """One gateway, with an account of its own that may call exactly the functions behind it.

    ```
    caller -- token --> gateway -- its own token --> function
    ```
    Of the API's settings, API Gateway can keep this:
    - `iam`: a token signed by the caller account of this API (`callers`), for itself, which has no
      other use. IAM decides who may sign: `roles/iam.serviceAccountTokenCreator` on that
      account. (A Google ID token would let in everybody with a Google account: the gateway knows
      issuers, not roles.)
    - throttling: `rate` as a quota a minute. Google counts it by the project that calls: that of an
      API key, or this project for all callers without one together, for whom the API's managed
      service is enabled here. There is no `burst`.
    - CORS: nothing answers a browser's preflight request, so origins are refused.
    """

    endpoint: pulumi.Output[str]
    callers: pulumi.Output[str]

    def __init__(self, name: str, args: ApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Api", name, None, opts)
        if args.cors.origins:
            raise ValueError(f"api {name}: API Gateway answers no preflight request, so it takes no origins of pages")
        child_opts = pulumi.ResourceOptions(parent=self)
        identity = gcp.serviceaccount.Account(
            f"{name}-identity", display_name=f"gateway {name}", opts=kept(child_opts, args.keep)
        )
        invocations = [
            allow_invocation(f"{name}-invoker-{operation}", identity, route.function.name, child_opts)
            for operation, route in _first_routes(args.routes).items()
        ]
        lasting = kept(child_opts, args.keep)
        # Whatever the API asks of callers: what others granted this account outlives a change of that.
        caller = gcp.serviceaccount.Account(f"{name}-caller", display_name=f"callers of {name}", opts=lasting).email
        self.callers = caller if isinstance(args.auth, IamAuth) else pulumi.Output.from_input("")
        # An API needs an id that is unique in the project, as that of the account is: Pulumi made it up.
        api = gcp.apigateway.Api(f"{name}-api", api_id=identity.account_id, opts=lasting)
        config = gcp.apigateway.ApiConfig(
            f"{name}-config",
            api=api.api_id,
            api_config_id_prefix=f"{name}-",
            openapi_documents=[{"document": {"path": "openapi.json", "contents": _contents(args, self.callers)}}],
            gateway_config={"backend_config": {"google_service_account": identity.email}},
            opts=child_opts,
        )
        gateway = gcp.apigateway.Gateway(
            f"{name}-gateway",
            gateway_id=identity.account_id,
            api_config=config.id,
            region=region(),
            # It leads callers to a function only when it may call it.
            opts=pulumi.ResourceOptions.merge(lasting, pulumi.ResourceOptions(depends_on=invocations)),
        )
        # A project without the service has no quota of it. There is something to enable once there is a configuration.
        gcp.projects.Service(
            f"{name}-service",
            service=api.managed_service,
            disable_on_destroy=False,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[gateway]),
        )
        lines = pulumi.Output.concat(
            'resource.type="apigateway.googleapis.com/Gateway" AND resource.labels.gateway_id="',
            gateway.gateway_id,
            '"',
        )
        keep_logs(name, identity, lines, args.log_days, args.keep, child_opts)
        self.endpoint = pulumi.Output.concat("https://", gateway.default_hostname)
        self.register_outputs({"endpoint": self.endpoint, "callers": self.callers})


def _contents(args: ApiArgs, callers: pulumi.Output[str]) -> pulumi.Output[str]:
    """Return the OpenAPI document, as JSON in Base64."""

    def render(emails_and_urls: Sequence[str]) -> str:
        caller, *urls = emails_and_urls
        server = HttpServer(
            description=_description(args.auth),
            issuer=_issuer(args.auth, caller),
            requests_a_minute=args.throttling.rate * 60,
            timeout_seconds=args.timeout_seconds,
        )
        text = json.dumps(document(args.routes, urls, server), sort_keys=True)
        return base64.b64encode(text.encode()).decode()

    return pulumi.Output.all(callers, *(route.function.ref for route in args.routes)).apply(render)


def _issuer(auth: Auth, caller: str) -> Issuer | None:
    match auth:
        case JwtAuth():
            return Issuer(issuer=auth.issuer, audiences=auth.audience)
        case IamAuth():
            return Issuer(issuer=caller, audiences=(caller,), keys=f"{KEYS_OF_ACCOUNT}{caller}")
        case NoAuth():
            return None


def _description(auth: Auth) -> str:
    return f"Open to everyone: {auth.reason}" if isinstance(auth, NoAuth) else "Every call needs a token."


def _first_routes(routes: Sequence[Route]) -> dict[str, Route]:
    """Return one route for each function, by its operation: the first in the alphabet."""
    first: dict[int, Route] = {}
    for route in sorted(routes, key=lambda route: route.operation):
        first.setdefault(id(route.function), route)
    return {route.operation: route for route in first.values()}
