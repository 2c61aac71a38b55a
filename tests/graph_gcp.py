"""What GCP would answer, by type token: see `tests.graph.Recorder`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Inputs = Mapping[str, Any]
Outputs = dict[str, Any]

PROJECT: Final = "test-project"
NUMBER: Final = "123456789012"
REGION: Final = "europe-west1"


def _physical(inputs: Inputs, name: str) -> str:
    """Return the input's name, or one as Pulumi makes it up."""
    return inputs.get("name") or f"{name}-1a2b3c4"


def _named(path: str) -> Callable[[Inputs, str], Outputs]:
    def outputs(inputs: Inputs, name: str) -> Outputs:
        own = _physical(inputs, name)
        return {"id": f"projects/{PROJECT}/{path}/{own}", "name": own, "project": PROJECT}

    return outputs


def _bucket(inputs: Inputs, name: str) -> Outputs:
    own = _physical(inputs, name)
    return {"id": own, "name": own, "url": f"gs://{own}", "project": PROJECT, "projectNumber": int(NUMBER)}


def _object(inputs: Inputs, name: str) -> Outputs:
    # A generation belongs to what was uploaded: another object is another number.
    generation = sum(ord(letter) * 31**index for index, letter in enumerate(inputs["name"])) % 10**15
    return {"id": f"{inputs['bucket']}-{inputs['name']}", "outputName": inputs["name"], "generation": generation}


def _account(inputs: Inputs, name: str) -> Outputs:
    own = inputs.get("accountId") or f"{name}-1a2b3c4"
    email = f"{own}@{PROJECT}.iam.gserviceaccount.com"
    path = f"projects/{PROJECT}/serviceAccounts/{email}"
    return {
        "id": path,
        "name": path,
        "accountId": own,
        "email": email,
        "member": f"serviceAccount:{email}",
        "project": PROJECT,
    }


def _custom_role(inputs: Inputs, name: str) -> Outputs:
    path = f"projects/{PROJECT}/roles/{inputs['roleId']}"
    return {"id": path, "name": path, "project": PROJECT}


def _agent(inputs: Inputs, name: str) -> Outputs:
    service = inputs["service"].split(".")[0]
    if service == "cloudfunctions":
        return {"id": f"{PROJECT}/{inputs['service']}", "project": PROJECT}
    domain = {"run": "serverless-robot-prod"}.get(service, f"gcp-sa-{service}")
    email = f"service-{NUMBER}@{domain}.iam.gserviceaccount.com"
    member = f"serviceAccount:{email}"
    return {"id": f"{PROJECT}/{inputs['service']}", "email": email, "member": member, "project": PROJECT}


def _function(inputs: Inputs, name: str) -> Outputs:
    own = _physical(inputs, name)
    return {
        "id": f"projects/{PROJECT}/locations/{REGION}/functions/{own}",
        "name": own,
        "url": f"https://{REGION}-{PROJECT}.cloudfunctions.net/{own}",
        "serviceConfig": {
            **inputs.get("serviceConfig", {}),
            "uri": f"https://{own}-abcdefghij-ew.a.run.app",
            "service": f"projects/{PROJECT}/locations/{REGION}/services/{own}",
        },
    }


def _log_bucket(inputs: Inputs, name: str) -> Outputs:
    path = f"projects/{inputs['project']}/locations/{inputs['location']}/buckets/{inputs['bucketId']}"
    return {"id": path, "name": path}


def _api(inputs: Inputs, name: str) -> Outputs:
    path = f"projects/{PROJECT}/locations/global/apis/{inputs['apiId']}"
    return {"id": path, "name": path, "managedService": f"{inputs['apiId']}-1a2b3c4.apigateway.{PROJECT}.cloud.goog"}


def _api_config(inputs: Inputs, name: str) -> Outputs:
    own = f"{inputs['apiConfigIdPrefix']}20260101"
    return {
        "id": f"projects/{PROJECT}/locations/global/apis/{inputs['api']}/configs/{own}",
        "apiConfigId": own,
    }


def _gateway(inputs: Inputs, name: str) -> Outputs:
    own = inputs["gatewayId"]
    return {
        "id": f"projects/{PROJECT}/locations/{inputs['region']}/gateways/{own}",
        "defaultHostname": f"{own}-abcdefgh.ew.gateway.dev",
    }


def _policy(_inputs: Inputs, name: str) -> Outputs:
    own = f"projects/{PROJECT}/alertPolicies/number-of-{name}"
    return {"id": own, "name": own, "project": PROJECT}


def _located(kind: str) -> Callable[[Inputs, str], Outputs]:
    def outputs(inputs: Inputs, name: str) -> Outputs:
        own = _physical(inputs, name)
        location = inputs.get("location") or inputs.get("region")
        return {"id": f"projects/{PROJECT}/locations/{location}/{kind}/{own}", "name": own, "project": PROJECT}

    return outputs


def _notification(inputs: Inputs, _name: str) -> Outputs:
    own = f"{inputs['bucket']}/notificationConfigs/1"
    return {"id": own, "notificationId": "1", "selfLink": f"https://www.googleapis.com/storage/v1/b/{own}"}


def _repository(inputs: Inputs, _name: str) -> Outputs:
    own = inputs["repositoryId"]
    return {"id": f"projects/{PROJECT}/locations/{inputs['location']}/repositories/{own}", "name": own}


OUTPUTS: dict[str, Callable[[Inputs, str], Outputs]] = {
    "gcp:apigateway/api:Api": _api,
    "gcp:apigateway/apiConfig:ApiConfig": _api_config,
    "gcp:apigateway/gateway:Gateway": _gateway,
    "gcp:artifactregistry/repository:Repository": _repository,
    "gcp:cloudfunctionsv2/function:Function": _function,
    "gcp:cloudscheduler/job:Job": _located("jobs"),
    "gcp:eventarc/trigger:Trigger": _located("triggers"),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": _log_bucket,
    "gcp:logging/metric:Metric": lambda inputs, name: {"name": _physical(inputs, name)},
    "gcp:monitoring/alertPolicy:AlertPolicy": _policy,
    "gcp:projects/serviceIdentity:ServiceIdentity": _agent,
    "gcp:pubsub/subscription:Subscription": _named("subscriptions"),
    "gcp:pubsub/topic:Topic": _named("topics"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": _custom_role,
    "gcp:serviceaccount/account:Account": _account,
    "gcp:storage/bucket:Bucket": _bucket,
    "gcp:storage/bucketObject:BucketObject": _object,
    "gcp:storage/notification:Notification": _notification,
    "gcp:workflows/workflow:Workflow": _located("workflows"),
}
AGENT = f"service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
CALLS: dict[str, dict[str, Any]] = {
    "gcp:organizations/getProject:getProject": {"id": f"projects/{PROJECT}", "projectId": PROJECT, "number": NUMBER},
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "emailAddress": AGENT,
        "member": f"serviceAccount:{AGENT}",
        "project": PROJECT,
        "id": AGENT,
    },
}
