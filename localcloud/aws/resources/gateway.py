"""HTTP APIs: their routes, integrations, authorizers and stages."""

from __future__ import annotations

from typing import Any

from localcloud.aws.api_parameters import pascal, select
from localcloud.aws.existence import asks, identity, of
from localcloud.aws.session import Session
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler

API = ("protocolType", "description", "routeSelectionExpression", "disableExecuteApiEndpoint", "version")
INTEGRATION = (
    "integrationType",
    "integrationUri",
    "integrationMethod",
    "payloadFormatVersion",
    "timeoutInMillis",
    "description",
    "connectionType",
)
ROUTE = ("routeKey", "target", "authorizationType", "authorizerId", "authorizationScopes", "operationName")
AUTHORIZER = (
    "authorizerType",
    "authorizerUri",
    "authorizerPayloadFormatVersion",
    "authorizerResultTtlInSeconds",
    "enableSimpleResponses",
)


def _gateway(session: Session) -> Any:
    return session.client("apigatewayv2")


def _api_settings(order: Order) -> dict[str, Any]:
    cors = (
        {"CorsConfiguration": pascal(order.inputs["corsConfiguration"])} if "corsConfiguration" in order.inputs else {}
    )
    return {**select(order.inputs, API), **cors}


def _api(order: Order) -> Registered:
    name = order.name(limit=128)
    response = _gateway(order.session).create_api(Name=name, **_api_settings(order))
    identity = response["ApiId"]
    return Registered(
        id=identity,
        outputs={
            **order.inputs,
            "name": name,
            "apiEndpoint": order.session.expose(identity),
            "arn": f"arn:aws:apigateway:{order.session.region}::/apis/{identity}",
            "executionArn": order.session.arn("execute-api", identity),
        },
    )


def _change_api(order: Order, before: Resource) -> Registered:
    gateway = _gateway(order.session)
    if "corsConfiguration" in before.inputs and "corsConfiguration" not in order.inputs:
        gateway.delete_cors_configuration(ApiId=before.id)
    settings = {key: value for key, value in _api_settings(order).items() if key != "ProtocolType"}
    gateway.update_api(ApiId=before.id, **settings)
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_api(session: Session, resource: Resource) -> None:
    _gateway(session).delete_api(ApiId=resource.id)


def _integration_settings(order: Order) -> dict[str, Any]:
    milliseconds = order.inputs.get("timeoutMilliseconds")
    return {**select(order.inputs, INTEGRATION), **({"TimeoutInMillis": milliseconds} if milliseconds else {})}


def _authorizer_settings(order: Order) -> dict[str, Any]:
    jwt = order.inputs.get("jwtConfiguration")
    return {
        "Name": order.name(limit=128),
        **select(
            order.inputs,
            {**{key: key[:1].upper() + key[1:] for key in AUTHORIZER}, "identitySources": "IdentitySource"},
        ),
        **({"JwtConfiguration": pascal(jwt, renamed={"audiences": "Audience"})} if jwt else {}),
    }


def _route_settings(order: Order) -> dict[str, Any]:
    return select(order.inputs, ROUTE)


def _part(kind: str, settings: Any, takes: frozenset[str], **rest: Any) -> ResourceHandler:
    """Return the handler of a part of an API: an integration, a route or an authorizer, by the calls named after it."""

    def create(order: Order) -> Registered:
        response = getattr(_gateway(order.session), f"create_{kind}")(ApiId=order.inputs["apiId"], **settings(order))
        return Registered(id=response[f"{kind.title()}Id"], outputs=order.inputs)

    def update(order: Order, before: Resource) -> Registered:
        identity = {"ApiId": order.inputs["apiId"], f"{kind.title()}Id": before.id}
        getattr(_gateway(order.session), f"update_{kind}")(**identity, **settings(order))
        return Registered(id=before.id, outputs=order.inputs)

    def delete(session: Session, resource: Resource) -> None:
        identity = {"ApiId": resource.inputs["apiId"], f"{kind.title()}Id": resource.id}
        getattr(_gateway(session), f"delete_{kind}")(**identity)

    return ResourceHandler(
        create=create,
        update=update,
        delete=delete,
        exists=asks("apigatewayv2", f"get_{kind}", {"ApiId": of("apiId"), f"{kind.title()}Id": identity}),
        takes=takes | {"apiId"},
        fixed=frozenset({"apiId"}),
        **rest,
    )


def _stage_settings(order: Order) -> dict[str, Any]:
    renamed = {"accessLogSettings": "AccessLogSettings", "defaultRouteSettings": "DefaultRouteSettings"}
    nested = {parameter: pascal(order.inputs[key]) for key, parameter in renamed.items() if key in order.inputs}
    return {**select(order.inputs, ("autoDeploy", "description", "stageVariables")), **nested}


def _stage(order: Order) -> Registered:
    api, name = order.inputs["apiId"], order.inputs["name"]
    _gateway(order.session).create_stage(ApiId=api, StageName=name, **_stage_settings(order))
    return Registered(
        id=name,
        outputs={
            **order.inputs,
            "arn": f"arn:aws:apigateway:{order.session.region}::/apis/{api}/stages/{name}",
            "executionArn": order.session.arn("execute-api", f"{api}/{name}"),
            "invokeUrl": f"{order.session.endpoint}/_aws/execute-api/{api}/{name}/",
        },
    )


def _change_stage(order: Order, before: Resource) -> Registered:
    _gateway(order.session).update_stage(ApiId=order.inputs["apiId"], StageName=before.id, **_stage_settings(order))
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_stage(session: Session, resource: Resource) -> None:
    _gateway(session).delete_stage(ApiId=resource.inputs["apiId"], StageName=resource.id)


HANDLERS = {
    "aws:apigatewayv2/api:Api": ResourceHandler(
        create=_api,
        update=_change_api,
        delete=_delete_api,
        exists=asks("apigatewayv2", "get_api", {"ApiId": identity}),
        takes=frozenset({"name", "corsConfiguration", *API}),
        fixed=frozenset({"name", "protocolType"}),
    ),
    "aws:apigatewayv2/integration:Integration": _part(
        "integration",
        _integration_settings,
        frozenset(INTEGRATION),
        ignores={"timeoutMilliseconds": "stored, the emulator waits for the function"},
    ),
    "aws:apigatewayv2/route:Route": _part("route", _route_settings, frozenset(ROUTE)),
    "aws:apigatewayv2/authorizer:Authorizer": _part(
        "authorizer", _authorizer_settings, frozenset({"name", "identitySources", "jwtConfiguration", *AUTHORIZER})
    ),
    "aws:apigatewayv2/stage:Stage": ResourceHandler(
        create=_stage,
        update=_change_stage,
        delete=_delete_stage,
        exists=asks("apigatewayv2", "get_stage", {"ApiId": of("apiId"), "StageName": identity}),
        takes=frozenset({"apiId", "name", "autoDeploy", "description", "stageVariables"}),
        ignores={
            "accessLogSettings": "stored, no access log is written",
            "defaultRouteSettings": "stored, nothing is throttled",
        },
        fixed=frozenset({"apiId", "name"}),
    ),
}
