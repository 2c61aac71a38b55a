"""Copies of a Cloud Run function that answer nobody else: a service of its image beside it, whose size is changed.

The caller needs `run.services.get`, `list`, `create`, `update` and `delete`, `run.operations.get`, `run.routes.invoke`,
and `iam.serviceAccounts.actAs` on the function's account; all of them are in roles/run.admin and
roles/iam.serviceAccountUser.
"""

from __future__ import annotations

import copy
import http.client
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import google.auth
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from sml.api import connection_to
from sml.gcp.api import SCOPE, ask
from sml.mistake import Mistake, Unreachable
from sml.tune.run import said, start_mark
from sml.tune.trial import Asked, Call, Deployed, beginning, name_of_copy, variables_of_copy

if TYPE_CHECKING:
    from sml.clouds import Way

HOST = "run.googleapis.com/v2"
LONGEST = 49
"""Characters of a service's name: https://cloud.google.com/run/docs/deploying#service-name"""
SIZES = (256, 512, 1024, 2048, 4096)
"""Where the share of a processor that memory brings changes."""
PATIENCE_SECONDS = 180
WAY = Asked(method="GET", path="/v2/health/live", body=b"")
WAYS = 7
"""Calls that find out how long the way there and back takes."""
LABEL = "sml-tune"
KEPT = ("containers", "serviceAccount", "timeout", "maxInstanceRequestConcurrency", "executionEnvironment", "vpcAccess")


class Trials:
    """Copies of one function, by the project's own API, or by that of an embedded GCP."""

    def __init__(self, function: str, parent: str, way: Way | None = None) -> None:
        """`parent` is `projects/p/locations/r`; `way` leads to an embedded GCP."""
        self._function = function
        self._parent = parent
        self._way = way
        self._urls: dict[str, str] = {}
        self._connections: dict[str, http.client.HTTPConnection] = {}
        self._ways: dict[str, float] = {}
        self._tokens: dict[str, str] = {}
        self.proves = (
            "Latencies that the caller sees of a copy that is called directly, less the way there and back: the "
            f"fastest of {WAYS} requests that ask no model. Captures stay in memory. A cold start is a new instance."
        )

    @property
    def sizes(self) -> Sequence[int]:
        return SIZES

    def name(self) -> str:
        return name_of_copy(self._function, LONGEST)

    def deployed(self) -> Deployed:
        template = self._service["template"]
        memory = template["containers"][0]["resources"]["limits"]["memory"]
        shared = template.get("maxInstanceRequestConcurrency", 80) > 1
        return Deployed(memory_mb=_mebibytes(memory), architecture="x86_64", shared=shared)

    def leftovers(self) -> list[str]:
        found = self._ask("list services", f"{self._parent}/services")
        names = [str(one["name"]).rpartition("/")[2] for one in found.get("services", ())]
        return [name for name in names if name.startswith(beginning(self._function, LONGEST))]

    def remove(self, name: str) -> None:
        what = f"delete the copy {name}"
        if connection := self._connections.pop(name, None):
            connection.close()
        try:
            self._done(what, self._ask(what, f"{self._parent}/services/{name}", method="DELETE"))
        except Mistake as refused:
            if "404" not in str(refused):
                raise

    def open(self, name: str, memory_mb: int, processors: float) -> None:
        template = self._template(memory_mb, processors)
        body = {"template": template, "labels": {LABEL: "copy"}, "ingress": "INGRESS_TRAFFIC_ALL"}
        what = f"give a copy {memory_mb:,} MiB"
        if name in self._urls:
            done = self._ask(what, f"{self._parent}/services/{name}", body, method="PATCH")
        else:
            done = self._ask(what, f"{self._parent}/services?serviceId={name}", body)
        self._done(what, done)
        self._urls[name] = self._ask(what, f"{self._parent}/services/{name}")["uri"]
        self._ways.pop(name, None)

    def call(self, name: str, asked: Asked) -> Call:
        started = name in self._ways
        status, ms, content = self._send(name, asked)
        if not started:
            # The first request starts the instance; the way is asked for once it runs.
            self._ways[name] = min(self._send(name, WAY)[1] for _ in range(WAYS)) if status < 500 else 0.0
        problem = "" if status < 500 else f"{status}: {said(content)}"
        # The platform's own 503 is text, the function's a document.
        killed = status in (500, 503) and not content.lstrip().startswith(b"{")
        ms = max(ms - self._ways[name], 0.0)
        return Call(status=status, ms=ms, problem=problem, out_of_memory=killed)

    @cached_property
    def _service(self) -> dict[str, Any]:
        return self._ask("read the function", f"{self._parent}/services/{self._function}")

    def _template(self, memory_mb: int, processors: float) -> dict[str, Any]:
        """Return the function's template with another size, which starts no instance before it is called."""
        found = self._service["template"]
        template = {key: copy.deepcopy(found[key]) for key in KEPT if key in found}
        container = template["containers"][0]
        cpu = f"{processors * 1000:.0f}m"
        container["resources"] = {**container["resources"], "limits": {"memory": f"{memory_mb}Mi", "cpu": cpu}}
        values = {one["name"]: one["value"] for one in container.get("env", ()) if "value" in one}
        secret = [one for one in container.get("env", ()) if "value" not in one]
        own = variables_of_copy(values, embedded=self._way is not None, start=start_mark())
        container["env"] = [{"name": key, "value": value} for key, value in own.items()] + secret
        return {**template, "healthCheckDisabled": True, "scaling": {"maxInstanceCount": 1}}

    def _send(self, name: str, asked: Asked) -> tuple[int, float, bytes]:
        address = urlsplit(self._urls[name])
        if name not in self._connections:
            self._connections[name] = connection_to(address.scheme, address.netloc)
        connection, headers = self._connections[name], {**asked.headers, "authorization": f"Bearer {self._token(name)}"}
        try:
            if connection.sock is None:
                connection.connect()
            begun = time.perf_counter()
            connection.request(asked.method, asked.path, asked.body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            ms = (time.perf_counter() - begun) * 1000
        except (OSError, http.client.HTTPException) as problem:
            connection.close()
            raise Unreachable(f"the copy {name} does not answer: {problem}") from None
        if answer.status in (401, 403):
            raise Unreachable(f"GCP refused to call the copy {name}: {answer.status}: it needs run.routes.invoke")
        return answer.status, ms, content

    def _token(self, name: str) -> str:
        """Return a token by which Cloud Run knows the caller."""
        if self._way is not None:
            return str(self._way.options["bearer_token"])
        audience = self._urls[name]
        if audience not in self._tokens:
            try:
                try:
                    self._tokens[audience] = str(id_token.fetch_id_token(Request(), audience))
                except GoogleAuthError:
                    # A person's own credentials have a token of the tool that they logged in with.
                    credentials, _ = google.auth.default(scopes=[SCOPE])
                    credentials.refresh(Request())
                    self._tokens[audience] = str(credentials.id_token)
            except (GoogleAuthError, AttributeError) as problem:
                raise Unreachable(f"GCP gives no token to call the copy with: {problem}") from None
        return self._tokens[audience]

    def _done(self, what: str, operation: Mapping[str, Any]) -> None:
        """Wait for an operation. Raise `Mistake` where it fails."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not operation.get("done"):
            if time.monotonic() > until:
                raise Mistake(f"GCP did not {what} within {PATIENCE_SECONDS} s")
            time.sleep(1)
            operation = self._ask(what, str(operation["name"]))
        if error := operation.get("error"):
            raise Mistake(f"GCP could not {what}: {' '.join(str(error.get('message')).split())[:300]}")

    def _ask(
        self, what: str, path: str, body: Mapping[str, Any] | None = None, method: str | None = None
    ) -> dict[str, Any]:
        return ask(what, f"{HOST}/{path}", body, method=method, way=self._way)


def _mebibytes(text: str) -> int:
    for unit, factor in (("Mi", 1), ("Gi", 1024), ("M", 1), ("G", 1000)):
        if text.endswith(unit):
            return round(float(text.removesuffix(unit)) * factor)
    raise Mistake(f"{text} is no size of memory that this release knows")
