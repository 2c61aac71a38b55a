"""GCP: each word of the vocabulary as components of this cloud."""

from __future__ import annotations

from collections.abc import Mapping

from infra.archive import Packing
from infra.gcp.arrival import Arrival
from infra.gcp.budget import Budget
from infra.gcp.charges import CHARGES
from infra.gcp.function import Function
from infra.gcp.gateway import Api
from infra.gcp.monitor import Monitor
from infra.gcp.names import NAMES
from infra.gcp.project import enable_services
from infra.gcp.queue import Queue
from infra.gcp.quotas import wants
from infra.gcp.regions import PROJECT_VARIABLES, require_region
from infra.gcp.schedule import Schedule
from infra.gcp.storage import Store
from infra.gcp.upload import Upload
from infra.gcp.workflow import Workflow
from infra.tier import Tier
from infra.vocabulary import Cloud

FROM_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "gcp:apigateway/apiConfig:ApiConfig": ("openapi_documents",),
    "gcp:billing/budget:Budget": ("amount", "billing_account", "threshold_rules"),
    "gcp:cloudfunctionsv2/function:Function": ("service_config",),
    "gcp:cloudscheduler/job:Job": ("schedule",),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": ("retention_days",),
    "gcp:monitoring/alertPolicy:AlertPolicy": ("conditions", "documentation"),
    "gcp:monitoring/dashboard:Dashboard": ("dashboard_json",),
    "gcp:monitoring/notificationChannel:NotificationChannel": ("labels",),
    "gcp:pubsub/subscription:Subscription": ("ack_deadline_seconds", "dead_letter_policy"),
    "gcp:storage/bucket:Bucket": ("lifecycle_rules",),
    "gcp:workflows/workflow:Workflow": ("source_contents",),
}

CLOUD = Cloud(
    name="gcp",
    tier=Tier.EMBEDDED,
    packing=Packing(built=True),
    from_settings=FROM_SETTINGS,
    store=Store,
    queue=Queue,
    function=Function,
    api=Api,
    workflow=Workflow,
    arrival=Arrival,
    schedule=Schedule,
    upload=Upload,
    monitor=Monitor,
    budget=Budget,
    budget_needs=("billing_account",),
    names=NAMES,
    require_region=require_region,
    stand_ins={"gcp:project": PROJECT_VARIABLES},
    quotas=wants,
    charges=CHARGES,
    prerequisites=enable_services,
)
