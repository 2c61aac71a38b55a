"""A new project, whose services were enabled a moment ago: what the program declares can be made in its order."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi
import pulumi_gcp
import pytest

from infra import workflow
from infra.archive import Archive
from infra.gcp import access, project
from infra.gcp.arrival import Arrival
from infra.gcp.function import Function
from infra.gcp.queue import Queue
from infra.gcp.schedule import Schedule
from infra.gcp.storage import Store
from infra.gcp.workflow import Workflow
from infra.keys import Access, Keys
from infra.vocabulary import ArrivalArgs, FunctionArgs, Grant, QueueArgs, ScheduleArgs, StoreArgs, WorkflowArgs
from localcloud.engine.engine import Engine
from localcloud.engine.stack_file import StackFile
from localcloud.gcp import Gcp
from localcloud.gcp.pubsub.message import Message
from tests.infra.sample import PLATFORM
from tests.localcloud import on_gcp
from tests.localcloud.conftest import GcpLab, running
from tests.localcloud.gcp.test_resources import until

pytestmark = pytest.mark.integration

CONFIG = {"gcp:project": "p", "gcp:region": on_gcp.REGION}


@pytest.fixture
def new(tmp_path: Path) -> Iterator[GcpLab]:
    """A project in which nothing was ever asked for."""
    with running(Gcp, tmp_path, CONFIG) as cloud:
        stack = StackFile(project="serverless-ml", name="first", config=CONFIG)
        yield GcpLab(cloud=cloud, stack=stack, engine=Engine(cloud))


class Elsewhere:
    """A function that nobody calls."""

    def __init__(self, name: str) -> None:
        self.ref = pulumi.Output.from_input(f"https://{name}.example.org")
        self.name = self.logs = pulumi.Output.from_input(name)


DATASETS = Keys(models=("a",), prefixes=("incoming/",))


def after_services() -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(depends_on=list(project.enable_services()))


def trained(opts: pulumi.ResourceOptions) -> Workflow:
    steps = ("prepare", "train", "select", "rollout")
    definition = workflow.training(parallelism=1, timeout_seconds=60, function_timeouts={step: 10 for step in steps})
    args = WorkflowArgs(definition=definition, functions={step: Elsewhere(step) for step in steps}, log_days=1)
    return Workflow("training", args, opts)


def datasets() -> None:
    """Declare a workflow that new objects of a bucket start."""
    opts = after_services()
    data = Store("data", StoreArgs(announces=True), opts)
    Arrival("datasets", ArrivalArgs(store=data, keys=DATASETS, target=trained(opts)), opts)


def consumer() -> None:
    """Declare a function that consumes a queue."""
    opts = after_services()
    path = on_gcp.archive("def handle(request):\n    return {}\n")
    args = FunctionArgs(
        archive=Archive(path=path, digest=hashlib.sha256(path.read_bytes()).hexdigest(), size=1, unpacked=1),
        code=Store("code", StoreArgs(), opts),
        platform=PLATFORM,
        memory_mb=512,
        timeout_seconds=10,
        concurrency=1,
        environment={},
        grants=(),
        log_days=1,
        consumes=Queue("tally", QueueArgs(consumer_timeout_seconds=10, attempts=5), opts),
    )
    Function("tally", args, opts)


def retrained() -> None:
    """Declare a workflow that is started on time."""
    opts = after_services()
    Schedule("retrain", ScheduleArgs(cron="0 3 * * 1", target=trained(opts), input={}), opts)


@pytest.mark.parametrize(
    ("service", "program", "refusal"),
    [
        ("eventarc", datasets, "Permission denied while using the Eventarc Service Agent"),
        ("workflows", datasets, "Workflows service agent does not exist"),
        ("cloudfunctions", consumer, "Unable to retrieve the repository metadata for projects/p/locations/"),
        ("cloudbuild", consumer, "the Cloud Build service agent lacks iam.serviceAccounts.getAccessToken"),
        ("run", consumer, "must have permission to read the image"),
    ],
)
def test_what_needs_a_service_agent_is_refused_until_it_was_asked_for(
    new: GcpLab,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    program: Callable[[], None],
    refusal: str,
) -> None:
    today = project.AGENTS
    monkeypatch.setattr(project, "AGENTS", {name: domain for name, domain in today.items() if name != service})
    with pytest.raises(Exception, match=refusal):
        new.deploy(program)
    monkeypatch.setattr(project, "AGENTS", today)
    new.deploy(program)


def test_messages_are_pushed_only_by_a_service_agent_that_may_make_tokens(
    new: GcpLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked for with the queue: without its role every message would become a dead letter unseen."""
    today = project.AGENTS
    monkeypatch.setattr(project, "AGENTS", {name: domain for name, domain in today.items() if name != "pubsub"})
    new.deploy(consumer)
    pubsub = new.cloud.session.pubsub
    topic = new.resource("gcp:pubsub/topic:Topic", "tally-topic").id
    pubsub.publish(topic, [Message(data=b"1")])
    refusal = "gcp-sa-pubsub.iam.gserviceaccount.com lacks iam.serviceAccounts.getOpenIdToken"
    until(lambda: refusal in new.cloud.log.read_text(encoding="utf-8"))
    monkeypatch.setattr(project, "AGENTS", today)
    new.deploy(consumer)
    subscription = new.resource("gcp:pubsub/subscription:Subscription", "tally-subscription").id
    until(lambda: pubsub.waiting(subscription) == 0)
    assert pubsub.waiting(new.resource("gcp:pubsub/subscription:Subscription", "tally-dead-letters-kept").id) == 0


def test_a_schedule_starts_only_by_a_service_agent_that_may_make_tokens(
    new: GcpLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = project.AGENTS
    monkeypatch.setattr(project, "AGENTS", {name: domain for name, domain in today.items() if name != "cloudscheduler"})
    new.deploy(retrained)
    job = new.resource("gcp:cloudscheduler/job:Job").id
    new.cloud.session.scheduler.run(job)
    refusal = "gcp-sa-cloudscheduler.iam.gserviceaccount.com lacks iam.serviceAccounts.getAccessToken"
    until(lambda: refusal in new.cloud.log.read_text(encoding="utf-8"))
    assert new.cloud.executions(new.resource(new.cloud.workflow).id) == {}
    monkeypatch.setattr(project, "AGENTS", today)
    new.deploy(retrained)
    new.cloud.session.scheduler.run(job)
    until(lambda: len(new.cloud.executions(new.resource(new.cloud.workflow).id)) == 1)


def of_before(prefix: str) -> str:
    """The clause by which a reader was allowed to list, and nothing else of the bucket."""
    return f'api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("{prefix}")'


@pytest.mark.parametrize(("clause", "status"), [(of_before, 403), (access._listed, 404)], ids=["before", "today"])
def test_a_function_learns_that_an_object_is_missing_by_the_clause_for_the_bucket(
    gcp_lab: GcpLab, monkeypatch: pytest.MonkeyPatch, clause: Callable[[str], str], status: int
) -> None:
    def program() -> None:
        data = Store("data", StoreArgs())
        reader = pulumi_gcp.serviceaccount.Account("reader")
        keys = Keys(models=("m",), prefixes=("in/", "out/"))
        grant = Grant(name="read-data", store=data, access=Access.READ, keys=keys)
        access.allow_storage("reader", reader, [grant], pulumi.ResourceOptions())

    monkeypatch.setattr(access, "_listed", clause)
    gcp_lab.deploy(program)
    session = gcp_lab.cloud.session
    bucket = gcp_lab.resource("gcp:storage/bucket:Bucket").id
    session.storage.objects(bucket, session.owner).put("m/in/x", b"1")
    token = session.accounts.token(gcp_lab.resource("gcp:serviceaccount/account:Account").outputs["email"])

    def ask(path: str) -> int:
        connection = http.client.HTTPConnection(session.storage.url.removeprefix("http://"), timeout=30)
        connection.request("GET", f"/{bucket}{path}", headers={"Authorization": f"Bearer {token}"})
        answered = connection.getresponse().status
        connection.close()
        return answered

    assert ask("/m/in/x") == 200
    assert ask("?list-type=2&prefix=m/in/") == 200
    assert ask("/m/in/missing") == status
    assert ask("/m/elsewhere/missing") == 403
    assert ask("?list-type=2&prefix=m/") == 403
    assert ask("?list-type=2") == 403
