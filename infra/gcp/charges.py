"""What Google Cloud bills each type of resource for, in the names of infra/estimate/tariffs/gcp.toml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pulumi_gcp as gcp

from infra.estimate import assumed, logs, stores
from infra.estimate.calls import calls, run
from infra.estimate.charges import Charges
from infra.estimate.demand import Demand
from infra.estimate.situation import Situation, component
from infra.estimate.use import Per, Use
from infra.gcp.function_charges import second, served, standing, work
from infra.gcp.regions import API_GATEWAY
from infra.limits import LIMITS
from infra.quotas import Declared

FUNCTION = "gcp:cloudfunctionsv2/function:Function"
MESSAGE = 1000 / 2**30
"""GiB of a message: Pub/Sub bills 1,000 bytes at least (unverified)."""


def _function(function: Declared, situation: Situation) -> Iterator[Use]:
    read = served(function, situation)
    yield from standing(read)
    yield from work(read, calls(component(function), situation) or ())


def _gateway(_gateway: Declared, situation: Situation) -> Iterator[Use]:
    sent = situation.traffic.bytes_a_row / assumed.GB
    quantity = 1 / situation.traffic.rows_a_request
    yield Use(per=Per.PREDICTION, price="api.request", quantity=quantity, demand=Demand(sent=sent))


def _logs(bucket: Declared, situation: Situation) -> Iterator[Use]:
    for per, gb in logs.written(component(bucket), situation, _steps(situation)):
        kept = gb * (bucket.inputs.get("retentionDays") or 30) / 30
        yield Use(per=per, price="log.written", quantity=gb, demand=Demand(stored=kept))


def _bucket(bucket: Declared, situation: Situation) -> Iterator[Use]:
    return stores.uses(component(bucket), situation, _days(bucket), "storage")


def _days(bucket: Declared) -> float:
    """Return after how many days a store deletes what it got; a year where it never does."""
    days = [
        rule["condition"]["age"]
        for rule in bucket.inputs.get("lifecycleRules") or ()
        if rule["action"]["type"] == "Delete" and rule["condition"].get("age")
    ]
    return min(days, default=365)


def _topic(topic: Declared, situation: Situation) -> Iterator[Use]:
    if topic.name in ("jobs-topic", "datasets-topic"):
        per = Per.JOB if topic.name == "jobs-topic" else Per.RUN
        messages = 1 + float(situation.environment("jobs").get("PARALLELISM", 1)) if per is Per.JOB else 1
        # In, and delivered.
        yield Use(per=per, price="pubsub.moved", quantity=2 * messages * MESSAGE)


def _steps(situation: Situation) -> float:
    """Return the steps of a run: each call takes as many as an experiment does at most."""
    passed = run(situation)
    called = passed.calls.total()
    return called * LIMITS["gcp"].steps_of_an_experiment + passed.states - called


def _workflow(_workflow: Declared, situation: Situation) -> Iterator[Use]:
    yield Use(per=Per.RUN, price="workflow.transition", quantity=_steps(situation))


def _job(_job: Declared, _situation: Situation) -> Iterator[Use]:
    yield Use(per=Per.MONTH, price="schedule.job", quantity=1)


def _ceiling(function: Declared, _situation: Situation) -> tuple[str, float] | None:
    service = function.inputs["serviceConfig"]
    copies, requests = service.get("maxInstanceCount"), service.get("maxInstanceRequestConcurrency") or 1
    return None if copies is None else ("functions.predict.concurrency", copies * requests)


def region(graph: Iterable[Declared]) -> str:
    """Return the region of the first function; empty for a graph without."""
    return next((resource.inputs.get("location", "") for resource in graph if resource.type == FUNCTION), "")


PERMISSION = "permissions and identities cost nothing"
PART_OF_IT = "a part of the API, the logs or the store that it belongs to, which is priced"
FREE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
            "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
            "gcp:projects/iAMCustomRole:IAMCustomRole",
            "gcp:projects/iAMMember:IAMMember",
            "gcp:projects/serviceIdentity:ServiceIdentity",
            "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember",
            "gcp:pubsub/topicIAMMember:TopicIAMMember",
            "gcp:serviceaccount/account:Account",
            "gcp:serviceaccount/iAMMember:IAMMember",
            "gcp:storage/bucketIAMMember:BucketIAMMember",
        ),
        PERMISSION,
    ),
    **dict.fromkeys(
        (
            "gcp:apigateway/api:Api",
            "gcp:apigateway/apiConfig:ApiConfig",
            "gcp:logging/projectExclusion:ProjectExclusion",
            "gcp:logging/projectSink:ProjectSink",
            "gcp:monitoring/dashboard:Dashboard",
            "gcp:monitoring/notificationChannel:NotificationChannel",
            "gcp:storage/notification:Notification",
        ),
        PART_OF_IT,
    ),
    "gcp:billing/budget:Budget": "budgets and their notifications cost nothing (unverified)",
    "gcp:pubsub/subscription:Subscription": "priced with its topic",
    "gcp:projects/service:Service": "a service that is turned on costs nothing by itself",
    "gcp:eventarc/trigger:Trigger": "events of Google's own sources are free",
}
UNPRICED: Mapping[str, str] = {
    "gcp:logging/metric:Metric": "150 MiB of metrics a month are free (unverified), then 0.258 USD for each",
    "gcp:monitoring/alertPolicy:AlertPolicy": "no price was read; announced were 0.10 USD a month for a condition, and"
    " 0.35 USD for a million of what it reads, once a minute (unverified)",
    "gcp:artifactregistry/repository:Repository": "the images of functions: no price was read",
    "gcp:storage/bucketObject:BucketObject": "the sources of functions: 0.020 USD for a GB and a month",
    "data out of the region": "no price was read",
    "Cloud Build": "2,500 minutes of builds a month are free (unverified), then 0.006 USD each",
}

CHARGES = Charges(
    function=FUNCTION,
    priced={
        FUNCTION: _function,
        "gcp:apigateway/gateway:Gateway": _gateway,
        "gcp:cloudscheduler/job:Job": _job,
        "gcp:logging/projectBucketConfig:ProjectBucketConfig": _logs,
        "gcp:pubsub/topic:Topic": _topic,
        "gcp:storage/bucket:Bucket": _bucket,
        "gcp:workflows/workflow:Workflow": _workflow,
    },
    free=FREE,
    unpriced=UNPRICED,
    served=served,
    work=work,
    standing=standing,
    second=second,
    ceiling=_ceiling,
    requests=lambda _: None,
    region=region,
    here=lambda: gcp.config.region or "",
    regions=API_GATEWAY,
    architectures=("x86_64",),
    memories=(512, 1024, 2048, 4096),
)
