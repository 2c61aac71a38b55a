"""Calls a function of the running stack as its schedule does."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any
from urllib.parse import urlsplit

from localcloud.aws import Aws
from localcloud.gcp import Gcp
from tests.localcloud import on_aws
from tests.loop.running import Running


def called(running: Running, name: str) -> dict[str, Any]:
    """Call a function with the identity of its schedule, and return its answer."""
    function = running.stack.function(name)
    match running.stack.cloud:
        case Aws() as cloud:
            return on_aws.answer(cloud, function)
        case Gcp() as cloud:
            accounts = running.stack.of("gcp:serviceaccount/account:Account")
            # The name of an account is short: of a long one its beginning is kept.
            caller = next(one for one in accounts if re.match(rf"{name[:8]}.*-schedule$", one.declared.name))
            url = function.outputs["serviceConfig"]["uri"]
            token = cloud.session.accounts.token(caller.outputs["email"], url)
            return json.loads(sent("POST", url, b"{}", token))
    raise TypeError("a cloud that is not known here")


def sent(method: str, url: str, body: bytes, token: str) -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        connection.request(method, f"{parts.path or '/'}?{parts.query}", body, headers)
        response = connection.getresponse()
        assert response.status < 300, response.read()
        return response.read()
    finally:
        connection.close()
