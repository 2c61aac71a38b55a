"""One project of the embedded GCP: all its services, each knowing the others as they do on GCP."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from localcloud.gcp.apigateway.gateway import Config, Gateway
from localcloud.gcp.cloudrun.builds import Builds
from localcloud.gcp.cloudrun.functions import Functions
from localcloud.gcp.eventarc.notifications import Notifications
from localcloud.gcp.eventarc.triggers import Triggers
from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.bindings import Bindings
from localcloud.gcp.iam.condition import Asked
from localcloud.gcp.iam.signer import Signer
from localcloud.gcp.outbound import sender
from localcloud.gcp.pubsub.pubsub import PubSub
from localcloud.gcp.pubsub.rest import LARGEST_REQUEST, PubSubApi
from localcloud.gcp.scheduler.scheduler import Scheduler
from localcloud.gcp.storage import Storage
from localcloud.gcp.workflows import Workflows
from localcloud.gcp.workflows.rest import ExecutionsApi
from localcloud.support.http_server import HttpServer, Request, Response

NUMBER = "123456789012"
EXECUTIONS = "workflowexecutions.googleapis.com"


class Project:
    """What the hands speak to. Everything it starts ends with `stop`."""

    def __init__(
        self, python: Path, workspace: Path, *, name: str, region: str, port: int, progress: Callable[[str], None]
    ) -> None:
        self.name = name
        self.region = region
        self.workspace = workspace
        self.log = workspace / "cloud.log"
        self.owner = secrets.token_urlsafe(24)
        """A token with all rights, for a person at this machine."""
        self.log.touch()
        self._port = port
        self._writing = threading.Lock()
        self.accounts = Accounts(name, NUMBER)
        self.bindings = Bindings(self.accounts)
        self.signer = Signer()
        self.configs: dict[str, Config] = {}
        """What gateways can be configured with, by the configuration's id."""
        self.gateways: dict[str, Gateway] = {}
        token, say = self.accounts.token, self._say
        self.pubsub = PubSub(token=token, agent_may=self._agent("pubsub.googleapis.com"), log=say)
        self.notifications = Notifications(self.pubsub, agent_may=self._agent("storage.googleapis.com"), log=say)
        self.storage = Storage(
            python, workspace, authorize=self._may_touch, finalized=self.notifications.finalized, progress=progress
        )
        self.workflows = Workflows(token=token, log=say, project_number=NUMBER)
        self.triggers = Triggers(self.pubsub, self.workflows, may_invoke=self._may_start, log=say)
        self._executions = ExecutionsApi(self.workflows, self._may)
        self._messages = PubSubApi(self.pubsub, self._may)
        self.api = HttpServer(self._api, limit=LARGEST_REQUEST)
        """Pub/Sub and Workflow Executions over HTTP."""
        self.scheduler = Scheduler(send=sender({EXECUTIONS: self._executions.answer}), token=token, log=say)
        self.builds = Builds(workspace / "builds")
        self.functions = Functions(
            workspace / "functions",
            self.accounts,
            self.bindings,
            region=region,
            shared={"STORAGE_EMULATOR_HOST": self.storage.url},
        )

    def start(self) -> None:
        """Raises `CloudFailed` when the storage does not come up, and then nothing is left running."""
        try:
            self.storage.start()
            self.pubsub.start()
            self.scheduler.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything: first what starts something, then what is started. Safe to call twice."""
        self.scheduler.stop()
        self.pubsub.stop()
        self.workflows.stop()
        self.api.close()
        for gateway in self.gateways.values():
            gateway.close()
        self.functions.stop()
        self.storage.stop()
        self.builds.clear()

    def place(self, kind: str, name: str) -> str:
        """The full name of something in the project's region."""
        return f"projects/{self.name}/locations/{self.region}/{kind}/{name}"

    def open(self, identity: str, config: Config) -> Gateway:
        """A gateway; the first one on the port that the stack would like to have, or the next that is free."""
        gateway = Gateway(config, token=self.accounts.token, signer=self.signer, port=self._port)
        self.gateways[identity] = gateway
        return gateway

    def _say(self, text: str) -> None:
        stamp = time.strftime("%H:%M:%S")
        with self._writing, self.log.open("a", encoding="utf-8") as log:
            log.write(f"{stamp} {text}\n")

    def _agent(self, service: str) -> Callable[[str, str], bool]:
        email = self.accounts.agent(service)
        return lambda permission, resource: self.bindings.allows(email, permission, resource)

    def _may_touch(self, token: str | None, verb: str, bucket: str, key: str) -> bool:
        """Cloud Storage's question about an object, or about a bucket when it is listed."""
        if token == self.owner:
            return True
        email = None if token is None else self.accounts.who(token)
        place = f"projects/_/buckets/{bucket}"
        listed = Asked(name=place, list_prefix=key)
        asked = listed if verb == "list" else Asked(name=f"{place}/objects/{key}")
        return email is not None and self.bindings.allows(email, f"storage.objects.{verb}", place, asked)

    def _may_start(self, email: str, workflow: str) -> bool:
        return self.bindings.allows(email, "workflows.executions.create", workflow)

    def _may(self, token: str | None, permission: str, resource: str) -> bool:
        if token == self.owner:
            return True
        email = None if token is None else self.accounts.who(token)
        return email is not None and self.bindings.allows(email, permission, resource)

    def _api(self, request: Request) -> Response:
        """The part of Google's own interfaces that a person may want to speak to: messages and executions."""
        api = self._executions if "/executions" in request.path else self._messages
        status, body = api.answer(request.method, request.path, request.headers, request.body)
        return Response(status, [("Content-Type", "application/json")], body)
