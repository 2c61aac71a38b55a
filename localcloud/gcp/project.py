"""One project of the embedded GCP: its services, connected as they are on GCP."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from localcloud.engine.events import Event, Events, Written
from localcloud.gcp.administration import HOST, Administration, Holdings
from localcloud.gcp.apigateway.gateway import Config, Gateway
from localcloud.gcp.cloudrun.build_permissions import BuildPermissions
from localcloud.gcp.cloudrun.builds import Builds
from localcloud.gcp.cloudrun.functions import Functions
from localcloud.gcp.cloudrun.rest import SERVICES, ServicesApi
from localcloud.gcp.eventarc.notifications import Notifications
from localcloud.gcp.eventarc.triggers import Triggers
from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.bindings import ACCESS_TOKEN, IDENTITY_TOKEN, Bindings
from localcloud.gcp.iam.condition import RequestAttributes
from localcloud.gcp.iam.signer import Signer
from localcloud.gcp.outbound import sender
from localcloud.gcp.pubsub.pubsub import PubSub, Token
from localcloud.gcp.pubsub.push_config import SUBSCRIPTIONS, PushConfigApi
from localcloud.gcp.pubsub.rest import LARGEST_REQUEST, PubSubApi
from localcloud.gcp.scheduler.rest import JOBS, JobsApi
from localcloud.gcp.scheduler.scheduler import Scheduler
from localcloud.gcp.storage import Storage
from localcloud.gcp.workflows import Workflows
from localcloud.gcp.workflows.rest import ExecutionsApi
from localcloud.support.http_server import HttpServer, Request, Response

NUMBER = "123456789012"
EXECUTIONS = "workflowexecutions.googleapis.com"


class Project:
    """The services that the resource handlers call. Everything that they start ends with `stop`."""

    def __init__(
        self,
        python: Path,
        workspace: Path,
        *,
        name: str,
        region: str,
        port: int,
        progress: Callable[[str], None],
        quotas: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.name = name
        self.region = region
        self.quotas = quotas
        """The project's quotas, by the names of `localcloud.gcp.cloudrun.quotas`; what is not there has no bound."""
        self.workspace = workspace
        self.log = workspace / "cloud.log"
        self.owner = secrets.token_urlsafe(24)
        """A bearer token with all permissions, for the user of this machine."""
        self.log.touch()
        self._port = port
        self._writing = threading.Lock()
        self._events = Events()
        self.accounts = Accounts(name, NUMBER)
        self.bindings = Bindings(self.accounts)
        self.signer = Signer()
        self.configs: dict[str, Config] = {}
        """The configurations of gateways, by id."""
        self.gateways: dict[str, Gateway] = {}
        log = self._write_log
        self.pubsub = PubSub(
            token=self._token_by("pubsub.googleapis.com"), agent_may=self._agent("pubsub.googleapis.com"), log=log
        )
        self.notifications = Notifications(self.pubsub, agent_may=self._agent("storage.googleapis.com"), log=log)
        self.storage = Storage(
            python, workspace, authorize=self._may_access, finalized=self._finalized, progress=progress
        )
        self.workflows = Workflows(token=self._token_by("workflows.googleapis.com"), log=log, project_number=NUMBER)
        self.triggers = Triggers(
            self.pubsub,
            self.workflows,
            may_invoke=self._may_invoke,
            agent_may=self._agent("eventarc.googleapis.com"),
            log=log,
        )
        self._executions = ExecutionsApi(self.workflows, self._may)
        self._messages = PubSubApi(self.pubsub, self._may)
        self.administration = self._administration()
        self.api = HttpServer(self._api, limit=LARGEST_REQUEST)
        """Pub/Sub, Workflow Executions, Cloud Run, and what tells about the project, over HTTP."""
        self.scheduler = Scheduler(
            send=sender({EXECUTIONS: self._executions.answer}),
            token=self._token_by("cloudscheduler.googleapis.com"),
            log=log,
        )
        self.builds = Builds(workspace / "builds")
        self.build_permissions = BuildPermissions(self.accounts, self.bindings, region=region)
        self.functions = self._functions(workspace / "functions")
        self._jobs, self._pushes = JobsApi(self.scheduler, self._may), PushConfigApi(self.pubsub, self._may)
        self._services = ServicesApi(self.functions, name, region, authorize=self._may)

    def start(self) -> None:
        """Start every service. Raises `CloudFailed` and leaves nothing running when the storage does not start."""
        try:
            self.storage.start()
            self.pubsub.start()
            self.scheduler.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything: first what calls others, then what is called. Safe to call twice."""
        self.scheduler.stop()
        self.pubsub.stop()
        self.workflows.stop()
        self.api.close()
        for gateway in self.gateways.values():
            gateway.close()
        self.functions.stop()
        self.storage.stop()
        self.builds.clear()

    def full_name(self, kind: str, name: str) -> str:
        """Return the full name of a resource in the project's region: `projects/p/locations/l/<kind>/<name>`."""
        return f"projects/{self.name}/locations/{self.region}/{kind}/{name}"

    def open(self, identity: str, config: Config) -> Gateway:
        """Start a gateway on the stack's port, or on the next free one."""
        gateway = Gateway(
            config,
            token=self.accounts.token,
            signer=self.signer,
            port=self._port,
            answered=self._events.answered,
        )
        self.gateways[identity] = gateway
        return gateway

    def events(self) -> list[Event]:
        """Return what happened since the last call."""
        return [*self._events.take(), *self.functions.events()]

    def _finalized(self, bucket: str, key: str, generation: int, size: int) -> None:
        self._events.add(Written(url=f"gs://{bucket}", key=key))
        self.notifications.finalized(bucket, key, generation, size)

    def _write_log(self, text: str) -> None:
        stamp = time.strftime("%H:%M:%S")
        with self._writing, self.log.open("a", encoding="utf-8") as log:
            log.write(f"{stamp} {text}\n")

    def _agent(self, service: str) -> Callable[[str, str], bool]:
        email = self.accounts.agent(service)
        return lambda permission, resource: self.bindings.allows(email, permission, resource)

    def _token_by(self, service: str) -> Token:
        """Return the function that makes the tokens by which a service acts as an account, if its agent may make them.

        The function raises `LookupError` otherwise, and for an account that does not exist.
        """
        agent_may = self._agent(service)

        def token(account: str, audience: str | None) -> str:
            permission = ACCESS_TOKEN if audience is None else IDENTITY_TOKEN
            if not agent_may(permission, f"projects/{self.name}/serviceAccounts/{account}"):
                raise LookupError(f"{self.accounts.agent(service)} lacks {permission} on {account}")
            return self.accounts.token(account, audience)

        return token

    def _may_access(self, token: str | None, verb: str, bucket: str, key: str | None) -> bool:
        """Return whether a caller has a permission on an object, or on a bucket that it lists."""
        if token == self.owner:
            return True
        email = None if token is None else self.accounts.principal(token)
        bucket_name = f"projects/_/buckets/{bucket}"
        if verb == "list" or key is None:
            attributes = RequestAttributes(name=bucket_name, list_prefix=key)
        else:
            attributes = RequestAttributes(name=f"{bucket_name}/objects/{key}")
        return email is not None and self.bindings.allows(email, f"storage.objects.{verb}", bucket_name, attributes)

    def _may_invoke(self, email: str, workflow: str) -> bool:
        return self.bindings.allows(email, "workflows.executions.create", workflow)

    def _may(self, token: str | None, permission: str, resource: str) -> bool:
        if token == self.owner:
            return True
        email = None if token is None else self.accounts.principal(token)
        return email is not None and self.bindings.allows(email, permission, resource)

    def _functions(self, workspace: Path) -> Functions:
        shared = {"STORAGE_EMULATOR_HOST": self.storage.url, "GOOGLE_APIS_ENDPOINT": self.api.url}
        return Functions(workspace, self.accounts, self.bindings, region=self.region, shared=shared, owner=self.owner)

    def _administration(self) -> Administration:
        holdings = Holdings(
            bucket=self.storage.has, account=self.accounts.has, topic=self.pubsub.has_topic, quotas=self.quotas
        )
        return Administration(
            self.accounts,
            self.bindings,
            self.region,
            holdings,
            authorize=self._may,
            known=self._is_known,
            sign=self.signer.sign,
        )

    def _is_known(self, token: str) -> bool:
        return token == self.owner or self.accounts.principal(token) is not None

    def _api(self, request: Request) -> Response:
        """Answer a request to Pub/Sub, Workflow Executions, Cloud Run, or to the host that its path begins with."""
        if request.path.startswith(SERVICES):
            status, body = self._services.answer(request)
        elif JOBS.match(request.path):
            status, body = self._jobs.answer(request)
        elif SUBSCRIPTIONS.match(request.path):
            status, body = self._pushes.answer(request)
        elif HOST.match(request.path):
            status, body = self.administration.answer(request)
        else:
            api = self._executions if "/executions" in request.path else self._messages
            status, body = api.answer(request.method, request.path, request.headers, request.body)
        return Response(status, [("Content-Type", "application/json")], body)
