"""Which names GCP accepts, for each type of resource that Pulumi names. Read on 2026-11-29."""

from __future__ import annotations

from infra.gcp.function import short
from infra.physical_name import LOWER, Part, PhysicalName

LOGGING = (Part.FUNCTION, Part.WORKFLOW, Part.API)
"""What has a log bucket, a sink and an exclusion."""

NAMES = (
    # https://cloud.google.com/iam/docs/service-accounts-create; log buckets, the repository, the API and its gateway
    # are named after an account.
    PhysicalName(
        type="gcp:serviceaccount/account:Account",
        characters=30,
        form=LOWER,
        of={
            Part.FUNCTION: (lambda name: f"{short(name)}-identity",),
            Part.QUEUE: (lambda name: f"{short(name)}-courier",),
            Part.CALL: (lambda name: f"{short(name)}-schedule",),
            Part.API: ("{}-identity", "{}-caller"),
            Part.WORKFLOW: ("{}-identity", "{}-starter"),
            Part.STORE: (lambda _: "code-builder",),
        },
    ),
    # https://cloud.google.com/run/docs/deploying#service-name: a function is a service of its name.
    PhysicalName(
        type="gcp:cloudfunctionsv2/function:Function",
        characters=49,
        form=LOWER,
        of={Part.FUNCTION: ("{}-function",)},
    ),
    # https://cloud.google.com/storage/docs/buckets#naming
    PhysicalName(
        type="gcp:storage/bucket:Bucket",
        characters=63,
        form="[a-z0-9][a-z0-9_-]+[a-z0-9]",
        of={Part.STORE: ("{}-bucket",)},
    ),
    # https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
    PhysicalName(
        type="gcp:pubsub/topic:Topic",
        characters=255,
        form="[A-Za-z][A-Za-z0-9._~+%-]{2,}",
        of={Part.QUEUE: ("{}-topic", "{}-dead-letters"), Part.START: ("{}-topic",)},
    ),
    PhysicalName(
        type="gcp:pubsub/subscription:Subscription",
        characters=255,
        form="[A-Za-z][A-Za-z0-9._~+%-]{2,}",
        of={Part.QUEUE: ("{}-subscription", "{}-dead-letters-kept")},
    ),
    # https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs
    PhysicalName(
        type="gcp:cloudscheduler/job:Job", characters=500, form="[A-Za-z0-9_-]+", of={Part.SCHEDULE: ("{}-job",)}
    ),
    # https://cloud.google.com/eventarc/docs/reference/rest/v1/projects.locations.triggers/create
    PhysicalName(type="gcp:eventarc/trigger:Trigger", characters=63, form=LOWER, of={Part.START: ("{}-trigger",)}),
    # https://cloud.google.com/workflows/docs/reference/rest/v1/projects.locations.workflows/create
    PhysicalName(
        type="gcp:workflows/workflow:Workflow",
        characters=64,
        form="[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?",
        of={Part.WORKFLOW: ("{}-workflow",)},
    ),
    # https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.metrics
    PhysicalName(
        type="gcp:logging/metric:Metric",
        characters=100,
        form=r"[A-Za-z0-9_.,+!*',()%-][A-Za-z0-9_.,+!*',()%/-]*",
        of={Part.METRIC: ("monitor-{}",)},
    ),
    # https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.sinks, and projects.exclusions
    PhysicalName(
        type="gcp:logging/projectSink:ProjectSink",
        characters=100,
        form="[A-Za-z0-9][A-Za-z0-9._-]*",
        of=dict.fromkeys(LOGGING, ("{}-logs-sink",)),
    ),
    PhysicalName(
        type="gcp:logging/projectExclusion:ProjectExclusion",
        characters=100,
        form="[A-Za-z0-9][A-Za-z0-9._-]*",
        of=dict.fromkeys(LOGGING, ("{}-logs-exclusion",)),
    ),
)
"""A row for each type."""
