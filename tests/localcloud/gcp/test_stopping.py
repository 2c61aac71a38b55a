"""What GCP offers to stop a stack: a scale of zero, a push that rests, a job that is paused, and who may do so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.bindings import Binding, Bindings
from localcloud.gcp.pubsub.message import Message
from localcloud.gcp.pubsub.pubsub import PubSub
from localcloud.gcp.pubsub.push_config import PushConfigApi
from localcloud.gcp.pubsub.subscription import Push, SubscriptionArgs
from localcloud.gcp.scheduler.job import JobArgs, Target
from localcloud.gcp.scheduler.rest import JobsApi
from localcloud.gcp.scheduler.scheduler import Scheduler
from localcloud.support.http_server import Request

TOPIC, SUBSCRIPTION = "projects/p/topics/jobs", "projects/p/subscriptions/jobs"
JOB = "projects/p/locations/eu/jobs/nightly"
ROLE = "projects/p/roles/stop"


class Project:
    """One account, with a role that the project has defined, and two services that ask for it."""

    def __init__(self) -> None:
        self.accounts = Accounts("p", "123")
        self.account, self.courier = self.accounts.create("stop"), self.accounts.create("courier")
        self.bindings = Bindings(self.accounts)
        self.pubsub = PubSub(token=lambda *_: "", agent_may=lambda *_: True, log=lambda _: None)
        self.pubsub.create_topic(TOPIC)
        push = Push(endpoint="http://127.0.0.1:9/", service_account=self.courier, audience="jobs")
        self.pubsub.create_subscription(SubscriptionArgs(name=SUBSCRIPTION, topic=TOPIC, push=push))
        self.scheduler = Scheduler(send=lambda _: 200, token=lambda *_: "", log=lambda _: None)
        self.scheduler.create(JobArgs(name=JOB, schedule="0 3 * * *", target=Target(uri="http://127.0.0.1:9/")))
        self.pushes = PushConfigApi(self.pubsub, self.may)
        self.jobs = JobsApi(self.scheduler, self.may)

    def may(self, token: str | None, permission: str, resource: str) -> bool:
        email = None if token is None else self.accounts.principal(token)
        return email is not None and self.bindings.allows(email, permission, resource)

    def grant(self, role: str, resource: str) -> None:
        self.bindings.add(Binding(resource=resource, role=role, member=f"serviceAccount:{self.account}"))

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.accounts.token(self.account, None)}"}
        request = Request(method=method, path=path, headers=headers, body=json.dumps(body).encode() if body else b"")
        status, content = (self.jobs if "cloudscheduler" in path else self.pushes).answer(request)
        return status, json.loads(content)


def test_a_subscription_that_does_not_push_keeps_its_messages_for_who_may_have_it_push_again() -> None:
    project = Project()
    project.bindings.define(ROLE, ["pubsub.subscriptions.get", "pubsub.subscriptions.update"])
    path = f"/pubsub.googleapis.com/v1/{SUBSCRIPTION}"
    assert project.ask("GET", path)[0] == 403
    project.grant(ROLE, SUBSCRIPTION)
    before = project.ask("GET", path)[1]["pushConfig"]
    assert before["oidcToken"] == {"serviceAccountEmail": project.courier, "audience": "jobs"}
    assert project.ask("POST", f"{path}:modifyPushConfig", {"pushConfig": {}})[0] == 200
    assert project.ask("GET", path)[1]["pushConfig"] == {}
    project.pubsub.publish(TOPIC, [Message(data=b"1")])
    project.pubsub.pump()
    assert project.pubsub.waiting(SUBSCRIPTION) == 1
    refused = project.ask("POST", f"{path}:modifyPushConfig", {"pushConfig": before})
    assert (refused[0], "actAs" in refused[1]["error"]["message"]) == (403, True)
    project.grant("roles/iam.serviceAccountUser", f"projects/p/serviceAccounts/{project.courier}")
    assert project.ask("POST", f"{path}:modifyPushConfig", {"pushConfig": before})[0] == 200
    assert project.ask("GET", path)[1]["pushConfig"] == before
    assert project.ask("GET", f"{path}-none")[0] == 403
    project.grant(ROLE, f"{SUBSCRIPTION}-none")
    assert project.ask("GET", f"{path}-none")[0] == 404


def test_who_has_a_role_of_the_project_may_do_what_it_says_as_long_as_it_is_there() -> None:
    project = Project()
    path = f"/cloudscheduler.googleapis.com/v1/{JOB}"
    with pytest.raises(ValueError, match="is not known here"):
        project.grant(ROLE, "projects/p")
    project.bindings.define(ROLE, ["cloudscheduler.jobs.get", "cloudscheduler.jobs.pause"])
    project.grant(ROLE, "projects/p")
    assert project.ask("GET", path) == (200, {"name": JOB, "state": "ENABLED"})
    assert project.ask("POST", f"{path}:pause", {})[1]["state"] == "PAUSED"
    assert project.ask("POST", f"{path}:resume", {})[0] == 403
    project.bindings.define(ROLE, ["cloudscheduler.jobs.enable"])
    assert project.ask("POST", f"{path}:resume", {})[1]["state"] == "ENABLED"
    assert project.ask("POST", f"{path}s:resume", {})[0] == 404
    project.bindings.forget(ROLE)
    assert project.ask("POST", f"{path}:resume", {})[0] == 403
