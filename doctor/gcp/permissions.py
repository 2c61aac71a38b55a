"""What whoever deploys must be allowed to do, by the types of the resources, and the roles that allow it.

https://cloud.google.com/iam/docs/roles-permissions, read on 2026-11-29.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "gcp:apigateway/api:Api": ("apigateway.apis.create",),
    "gcp:apigateway/apiConfig:ApiConfig": ("apigateway.apiconfigs.create", "iam.serviceAccounts.actAs"),
    "gcp:apigateway/gateway:Gateway": ("apigateway.gateways.create",),
    "gcp:artifactregistry/repository:Repository": ("artifactregistry.repositories.create",),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": ("artifactregistry.repositories.setIamPolicy",),
    # Its permission is one of the billing account, of which a project tells nothing: docs/watching.md#budget.
    "gcp:billing/budget:Budget": (),
    "gcp:cloudfunctionsv2/function:Function": ("cloudfunctions.functions.create", "iam.serviceAccounts.actAs"),
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": ("run.services.setIamPolicy",),
    "gcp:cloudscheduler/job:Job": ("cloudscheduler.jobs.create",),
    "gcp:eventarc/trigger:Trigger": ("eventarc.triggers.create", "iam.serviceAccounts.actAs"),
    "gcp:logging/metric:Metric": ("logging.logMetrics.create",),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": ("logging.buckets.create",),
    "gcp:logging/projectExclusion:ProjectExclusion": ("logging.exclusions.create",),
    "gcp:logging/projectSink:ProjectSink": ("logging.sinks.create",),
    "gcp:monitoring/alertPolicy:AlertPolicy": ("monitoring.alertPolicies.create",),
    "gcp:monitoring/dashboard:Dashboard": ("monitoring.dashboards.create",),
    "gcp:monitoring/notificationChannel:NotificationChannel": ("monitoring.notificationChannels.create",),
    "gcp:projects/iAMCustomRole:IAMCustomRole": ("iam.roles.create",),
    "gcp:projects/iAMMember:IAMMember": ("resourcemanager.projects.setIamPolicy",),
    "gcp:projects/service:Service": ("serviceusage.services.enable",),
    "gcp:projects/serviceIdentity:ServiceIdentity": ("serviceusage.services.enable",),
    "gcp:pubsub/subscription:Subscription": ("pubsub.subscriptions.create", "pubsub.topics.attachSubscription"),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": ("pubsub.subscriptions.setIamPolicy",),
    "gcp:pubsub/topic:Topic": ("pubsub.topics.create",),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": ("pubsub.topics.setIamPolicy",),
    "gcp:serviceaccount/account:Account": ("iam.serviceAccounts.create",),
    "gcp:serviceaccount/iAMMember:IAMMember": ("iam.serviceAccounts.setIamPolicy",),
    "gcp:storage/bucket:Bucket": ("storage.buckets.create",),
    "gcp:storage/bucketIAMMember:BucketIAMMember": ("storage.buckets.setIamPolicy",),
    "gcp:storage/bucketObject:BucketObject": ("storage.objects.create",),
    "gcp:storage/notification:Notification": ("storage.buckets.update",),
    "gcp:workflows/workflow:Workflow": ("workflows.workflows.create", "iam.serviceAccounts.actAs"),
}
"""The permissions that create a resource of each type."""
ROLES: Mapping[str, str] = {
    "apigateway.apiconfigs.create": "roles/apigateway.admin",
    "apigateway.apis.create": "roles/apigateway.admin",
    "apigateway.gateways.create": "roles/apigateway.admin",
    "artifactregistry.repositories.create": "roles/artifactregistry.admin",
    "artifactregistry.repositories.setIamPolicy": "roles/artifactregistry.admin",
    "cloudfunctions.functions.create": "roles/cloudfunctions.admin",
    "cloudscheduler.jobs.create": "roles/cloudscheduler.admin",
    "eventarc.triggers.create": "roles/eventarc.admin",
    "iam.roles.create": "roles/iam.roleAdmin",
    "iam.serviceAccounts.actAs": "roles/iam.serviceAccountUser",
    "iam.serviceAccounts.create": "roles/iam.serviceAccountAdmin",
    "iam.serviceAccounts.setIamPolicy": "roles/iam.serviceAccountAdmin",
    "logging.buckets.create": "roles/logging.configWriter",
    "logging.exclusions.create": "roles/logging.configWriter",
    "logging.logMetrics.create": "roles/logging.configWriter",
    "logging.sinks.create": "roles/logging.configWriter",
    "monitoring.alertPolicies.create": "roles/monitoring.alertPolicyEditor",
    "monitoring.dashboards.create": "roles/monitoring.dashboardEditor",
    "monitoring.notificationChannels.create": "roles/monitoring.notificationChannelEditor",
    "pubsub.subscriptions.create": "roles/pubsub.admin",
    "pubsub.subscriptions.setIamPolicy": "roles/pubsub.admin",
    "pubsub.topics.attachSubscription": "roles/pubsub.admin",
    "pubsub.topics.create": "roles/pubsub.admin",
    "pubsub.topics.setIamPolicy": "roles/pubsub.admin",
    "resourcemanager.projects.setIamPolicy": "roles/resourcemanager.projectIamAdmin",
    "run.services.setIamPolicy": "roles/run.admin",
    "serviceusage.services.enable": "roles/serviceusage.serviceUsageAdmin",
    "storage.buckets.create": "roles/storage.admin",
    "storage.buckets.setIamPolicy": "roles/storage.admin",
    "storage.buckets.update": "roles/storage.admin",
    "storage.objects.create": "roles/storage.admin",
    "workflows.workflows.create": "roles/workflows.admin",
}
"""For each permission the smallest predefined role that is granted on a project and deploys the whole service."""


def needed(types: Iterable[str]) -> list[str]:
    """Return the permissions that create resources of these types, each once, sorted."""
    return sorted({permission for kind in types for permission in PERMISSIONS.get(kind, ())})


def unlisted(types: Iterable[str]) -> list[str]:
    """Return the types of GCP of which the table knows nothing: those that somebody has added to the program."""
    return [kind for kind in types if kind.startswith("gcp:") and kind not in PERMISSIONS]
