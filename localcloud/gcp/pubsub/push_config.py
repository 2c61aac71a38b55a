"""The part of Pub/Sub's REST interface that tells where a subscription pushes to, and changes it.

https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/modifyPushConfig
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localcloud.gcp.api_responses import ApiResponse, Authorize, bearer, denied, json_object, ok, problem
from localcloud.gcp.iam.bindings import ACT_AS
from localcloud.gcp.pubsub.pubsub import NotFound, PubSub
from localcloud.gcp.pubsub.subscription import Push
from localcloud.support.http_server import Request

SUBSCRIPTIONS = re.compile(
    r"/pubsub\.googleapis\.com/v1/(?P<name>(?P<project>projects/[^/]+)/subscriptions/[^/:]+)(?P<verb>:modifyPushConfig)?"
)
PERMISSIONS = {
    ("GET", None): "pubsub.subscriptions.get",
    ("POST", ":modifyPushConfig"): "pubsub.subscriptions.update",
}


class PushConfigApi:
    """Answers for the subscriptions of one project."""

    def __init__(self, pubsub: PubSub, authorize: Authorize) -> None:
        self._pubsub = pubsub
        self._authorize = authorize

    def answer(self, request: Request) -> ApiResponse:
        """Return the status and the JSON body of the response."""
        found = SUBSCRIPTIONS.fullmatch(request.path)
        permission = PERMISSIONS.get((request.method, found["verb"])) if found else None
        if found is None or permission is None:
            return problem(404, f"{request.method} {request.path}: not here")
        name, token = found["name"], bearer(request.headers)
        if not self._authorize(token, permission, name):
            return denied(permission, name)
        try:
            args = self._pubsub.subscription(name)
        except NotFound as missing:
            return problem(404, str(missing))
        if found["verb"] is None:
            return ok({"name": name, "topic": args.topic, "pushConfig": _as_json(args.push)})
        push = _parsed(json_object(request.body).get("pushConfig") or {})
        account = f"{found['project']}/serviceAccounts/{push.service_account}" if push else ""
        if push and push.service_account and not self._authorize(token, ACT_AS, account):
            return denied(ACT_AS, account)
        self._pubsub.modify_push(name, push)
        return ok({})


def _parsed(config: Mapping[str, Any]) -> Push | None:
    if not config:
        return None
    token = config.get("oidcToken", {})
    return Push(
        endpoint=config["pushEndpoint"],
        service_account=token.get("serviceAccountEmail", ""),
        audience=token.get("audience", ""),
    )


def _as_json(push: Push | None) -> dict[str, Any]:
    if push is None:
        return {}
    token = {"serviceAccountEmail": push.service_account, "audience": push.audience}
    return {"pushEndpoint": push.endpoint, **({"oidcToken": token} if push.service_account else {})}
