"""For each rule, graphs that break it: exactly one property wrong."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from interface.layout import JOB_CONTINUATIONS, JOB_INPUTS, below
from tests.graph import ABSENT, Graph, rewritten
from tests.infra.gcp import whole as w

Break = Callable[[Graph], Graph]


def change(type_: str, name: str | None = None, /, **changes: Any) -> Break:
    return lambda graph: graph.mutated(type_, name, **changes)


def drop(type_: str, name: str) -> Break:
    return lambda graph: graph.without(type_, name)


def without(*keys: str) -> Callable[[Any], Any]:
    return lambda inputs: {key: value for key, value in inputs.items() if key not in keys}


def altered(**changes: Any) -> Callable[[Any], Any]:
    return lambda inputs: {**inputs, **changes}


def service(function: str, **changes: Any) -> Break:
    """Return a change of a function's own settings; None leaves one out."""
    gone = [key for key, value in changes.items() if value is None]
    return change(w.FUNCTION, f"{function}-function", serviceConfig=lambda old: without(*gone)({**old, **changes}))


def trained_with(edit: Callable[[Any], Any]) -> Break:
    """Return a change of the train function's variables."""
    return lambda graph: service(
        "train", environmentVariables=edit(w.variables(graph.one(w.FUNCTION, "train-function")))
    )(graph)


def calls_on_time(*, allowed: bool = True, uri: str | None = None, audience: str | None = None) -> Break:
    """Return the addition of a job that calls the rollout function, as an account of its own."""

    def calling(graph: Graph) -> Graph:
        function = graph.one(w.FUNCTION, "rollout-function")
        address = function.outputs["serviceConfig"]["uri"]
        account = graph.one(w.ACCOUNT, "jobs-courier")
        email = "beat-schedule@test-project.iam.gserviceaccount.com"
        caller = replace(
            account, name="beat-schedule", urn=f"{account.urn}-beat", outputs={
                **account.outputs, "email": email, "member": w.member(email)
            },
        )  # fmt: skip
        token = {"serviceAccountEmail": email, "audience": audience or address}
        job = graph.one(w.JOB, "retrain-another-job")
        target = {**without("oauthToken")(job.inputs["httpTarget"]), "uri": uri or address, "oidcToken": token}
        called = replace(job, name="beat-job", urn=f"{job.urn}-beat", inputs={**job.inputs, "httpTarget": target})
        more = [caller, called]
        if allowed:
            grant = graph.one(w.INVOKER, "jobs-courier-invoker")
            inputs = {**grant.inputs, "member": w.member(email), "name": function.outputs["name"]}
            more.append(replace(grant, name="beat-invoker", urn=f"{grant.urn}-beat", inputs=inputs))
        return graph.added(*more)

    return calling


def shared(**changes: Any) -> Break:
    """Return the predict function as `balanced` has it, but for `changes`."""

    def sharing(graph: Graph) -> Graph:
        old = w.service(graph.one(w.FUNCTION, "predict-function"))
        balanced = {
            "maxInstanceCount": 1,
            "maxInstanceRequestConcurrency": 8,
            "availableCpu": "1",
            "environmentVariables": altered(THREADS="8"),
        }
        new = {key: to(old.get(key)) if callable(to) else to for key, to in {**balanced, **changes}.items()}
        return service("predict", **new)(graph)

    return sharing


def in_document(edit: Callable[[dict[str, Any]], object]) -> Break:
    """Return a change of the API's OpenAPI document."""

    def edited(documents: list[Any]) -> list[Any]:
        document = json.loads(base64.b64decode(documents[0]["document"]["contents"]))
        edit(document)
        return [{"document": {"contents": base64.b64encode(json.dumps(document).encode()).decode()}}]

    return change(w.CONFIG, openapiDocuments=edited)


def predict(document: dict[str, Any]) -> dict[str, Any]:
    return document["paths"]["/predict"]["post"]


def in_source(edit: Callable[[dict[str, Any]], object]) -> Break:
    def edited(source: dict[str, Any]) -> None:
        edit(source)

    return change(w.WORKFLOW, sourceContents=rewritten(edited))


def in_text(old: str, new: str) -> Break:
    return change(w.WORKFLOW, sourceContents=lambda text: text.replace(old, new))


def retry_of(source: dict[str, Any], subworkflow: str) -> dict[str, Any]:
    (block,) = source[subworkflow]["steps"][0].values()
    return block["retry"]


def writes_inputs(condition: dict[str, Any]) -> dict[str, Any]:
    """Return a condition under which jobs are submitted, too, and not only continued."""
    continued, submitted = (below("another", prefix) for prefix in (JOB_CONTINUATIONS, JOB_INPUTS))
    return {**condition, "expression": condition["expression"].replace(f"/{continued}", f"/{submitted}")}


def unordered_but_for(type_: str, name: str, *kept: str) -> Break:
    """Return the graph with a resource that waits only for those whose URNs contain one of `kept`."""

    def fewer(graph: Graph) -> Graph:
        resource = graph.one(type_, name)
        dependencies = tuple(urn for urn in resource.dependencies if any(part in urn for part in kept))
        return graph.swapped(resource, replace(resource, dependencies=dependencies))

    return fewer


def never_asked_for(service: str) -> Break:
    """Return the graph without a service agent, and so without its role."""
    return lambda graph: graph.without(w.AGENT, f"services-{service}-agent").without(
        w.PROJECT_MEMBER, f"services-{service}-agent-role"
    )


def too_early(component: str) -> Break:
    """Return the graph with a component that waits for the services, but for none of their agents."""

    def early(graph: Graph) -> Graph:
        old = next(resource for resource in graph if resource.component and resource.name == component)
        kept = tuple(urn for urn in old.dependencies if "-agent" not in urn)
        return graph.swapped(old, replace(old, dependencies=kept))

    return early


def built_with(**changes: Any) -> Break:
    return change(w.FUNCTION, "train-function", buildConfig=lambda old: without(
        *(key for key, value in changes.items() if value is None)
    )({**old, **changes}))  # fmt: skip


def reads(edit: Callable[[str], str]) -> Break:
    """Return a change of the expression by which the train function reads."""
    return change(
        w.BUCKET_MEMBER, "train-read-data-another", condition=lambda old: {**old, "expression": edit(old["expression"])}
    )


def unready(graph: Graph) -> Graph:
    """Return the graph with a component that is made before the services are enabled.

    Its own resources wait for one another alone.
    """
    api = next(resource for resource in graph if resource.component and resource.name == "api")
    return graph.swapped(api, replace(api, dependencies=()))


def another(type_: str, name: str, new: str = "", /, **changes: Any) -> Break:
    """Return the graph with one more resource like an existing one."""

    def added(graph: Graph) -> Graph:
        model = graph.one(type_, name)
        return graph.added(
            replace(
                model, type=new or type_, name=f"{name}-2", urn=f"{model.urn}-2", inputs={**model.inputs, **changes}
            )
        )

    return added


def whole_policy(graph: Graph) -> Graph:
    model = graph.one(w.BUCKET_MEMBER, "train-read-data-another")
    inputs = {"bucket": model.inputs["bucket"], "policyData": "{}"}
    return graph.added(replace(model, type="gcp:storage/bucketIAMPolicy:BucketIAMPolicy", name="policy", inputs=inputs))


def compares(before: str, after: str) -> Callable[[Any], Any]:
    """Return a change of the pattern in a topic's transform."""

    def edit(transforms: Any) -> Any:
        udf = transforms[0]["javascriptUdf"]
        return [{"javascriptUdf": {**udf, "code": udf["code"].replace(before, after)}}]

    return edit


def renamed(name: str) -> Break:
    return lambda graph: graph.swapped(
        graph.one(w.ACCOUNT, "train-identity"), replace(graph.one(w.ACCOUNT, "train-identity"), name=name)
    )


def account(name: str) -> str:
    return f"{name}-1a2b3c4@test-project.iam.gserviceaccount.com"


def lifecycle(*kinds: str) -> Callable[[Any], Any]:
    return lambda rules: [rule for rule in rules if rule["action"]["type"] in kinds]


MORE = " || a" * 13
SUBSCRIPTION, KEPT = "jobs-subscription", "jobs-dead-letters-kept"

DATA: Mapping[str, tuple[Break, ...]] = {
    "buckets_are_not_public": (
        change(w.BUCKET, "data-bucket", publicAccessPrevention="inherited"),
        change(w.BUCKET, "code-bucket", uniformBucketLevelAccess=ABSENT),
    ),
    "buckets_are_versioned": (change(w.BUCKET, "models-bucket", versioning={"enabled": False}),),
    "buckets_forget_what_nobody_needs": (
        change(w.BUCKET, "data-bucket", lifecycleRules=ABSENT),
        change(w.BUCKET, "data-bucket", lifecycleRules=lifecycle("Delete")),
        change(w.BUCKET, "data-bucket", lifecycleRules=lifecycle("AbortIncompleteMultipartUpload")),
    ),
    "buckets_with_data_are_not_emptied": (change(w.BUCKET, "models-bucket", forceDestroy=True),),
    "deleted_data_can_be_restored": (
        change(w.BUCKET, "models-bucket", softDeletePolicy=ABSENT),
        change(w.BUCKET, "models-bucket", softDeletePolicy={"retentionDurationSeconds": 0}),
    ),
    "fed_functions_have_dead_letters": (
        change(w.SUBSCRIPTION, SUBSCRIPTION, deadLetterPolicy=ABSENT),
        change(w.SUBSCRIPTION, SUBSCRIPTION, deadLetterPolicy=altered(maxDeliveryAttempts=4)),
    ),
    "dead_letters_can_be_forwarded": (
        drop(w.TOPIC_MEMBER, "jobs-dead-letters-publisher"),
        drop(w.SUBSCRIPTION_MEMBER, "jobs-subscription-subscriber"),
    ),
    "dead_letters_wait_for_someone": (
        drop(w.SUBSCRIPTION, KEPT),
        change(w.SUBSCRIPTION, KEPT, messageRetentionDuration="604800s"),
    ),
    "subscriptions_outlive_a_quiet_month": (
        change(w.SUBSCRIPTION, KEPT, expirationPolicy=ABSENT),
        change(w.SUBSCRIPTION, SUBSCRIPTION, expirationPolicy={"ttl": "2678400s"}),
    ),
    "messages_stay_hidden_while_they_are_worked_on": (
        change(w.SUBSCRIPTION, SUBSCRIPTION, ackDeadlineSeconds=119),
        change(w.SUBSCRIPTION, SUBSCRIPTION, ackDeadlineSeconds=ABSENT),
        service("jobs", timeoutSeconds=601),
    ),
    "failing_messages_come_back_ever_slower": (change(w.SUBSCRIPTION, SUBSCRIPTION, retryPolicy=ABSENT),),
    "announced_objects_are_kept_for_replay": (change(w.TOPIC, "datasets-topic", messageRetentionDuration=ABSENT),),
}

COMPUTE: Mapping[str, tuple[Break, ...]] = {
    "functions_have_bounds": (service("train", availableMemory=None), service("select", availableMemory="256M")),
    "functions_cannot_flood": (service("predict", maxInstanceCount=None),),
    "instances_that_are_shared_can_be": (
        service("predict", maxInstanceRequestConcurrency=None),
        shared(availableCpu=None),
        shared(availableCpu="0.583"),
        shared(availableMemory="4097Mi"),
        shared(maxInstanceRequestConcurrency=1001, environmentVariables=altered(THREADS="1001")),
        shared(environmentVariables=altered(THREADS="4")),
    ),
    "no_more_instances_wait_than_may_run": (service("predict", minInstanceCount=51),),
    "the_api_waits_longer_than_its_functions": (
        in_document(lambda document: predict(document)["x-google-backend"].pop("deadline")),
        service("predict", timeoutSeconds=16),
    ),
    "functions_share_one_supported_runtime": (
        change(w.FUNCTION, "train-function", buildConfig=altered(runtime="python312")),
        lambda graph: _every(graph, w.FUNCTION, buildConfig=altered(runtime="python39")),
    ),
    "code_is_named_by_its_digest": (
        change(w.OBJECT, "train-code", name="train/latest.zip"),
        change(w.FUNCTION, "train-function", buildConfig=lambda old: {**old, "source": _source(old, generation=1)}),
        lambda graph: graph.mutated(w.OBJECT, "train-code", name="train/latest.zip").mutated(
            w.FUNCTION,
            "train-function",
            buildConfig=lambda old: {**old, "source": _source(old, object="train/latest.zip")},
        ),
    ),
    "environments_are_small_and_hold_no_secret": (
        service("select", environmentVariables={"DB_PASSWORD": "x"}),
        service("select", environmentVariables={"LARGE": "x" * 32_768}),
    ),
    "training_computes_the_same_on_every_processor": (
        trained_with(without("OPENBLAS_CORETYPE")),
        trained_with(altered(NPY_DISABLE_CPU_FEATURES="")),
        trained_with(altered(OPENBLAS_CORETYPE="ARMV8")),
        trained_with(altered(OMP_NUM_THREADS="2")),
    ),
    "consumers_are_closed_to_the_internet": (service("jobs", ingressSettings="ALLOW_ALL"),),
    "logs_are_forgotten": (
        change(w.LOGS, "predict-logs", retentionDays=ABSENT),
        drop(w.SINK, "training-logs-sink"),
        drop(w.EXCLUSION, "api-logs-exclusion"),
        change(w.SINK, "train-logs-sink", destination="logging.googleapis.com/elsewhere"),
    ),
    "routes_are_authorised_or_say_why_not": (
        in_document(lambda document: document.pop("security")),
        in_document(lambda document: predict(document).update(security=[])),
        in_document(lambda document: document["securityDefinitions"]["token"].pop("x-google-audiences")),
    ),
    "callers_are_throttled": (
        in_document(lambda document: document.pop("x-google-management")),
        in_document(lambda document: predict(document).pop("x-google-quota")),
        drop(w.SERVICE, "api-service"),
    ),
    "workflows_are_sound": (
        in_source(lambda source: source["main"]["steps"][1]["attempt"].pop("except")),
        in_text('"next":"select"', '"next":"nowhere"'),
        in_text('"concurrency_limit":4,', ""),
    ),
    "first_steps_wait_for_permissions": (
        in_source(lambda source: retry_of(source, "begin_train").update(predicate="${is_transient}")),
        in_text("[403, 429, 502, 503]", "[429, 502, 503]"),
        *(
            in_source(lambda source, step=step: retry_of(source, f"begin_{step}").update(max_retries=4))
            for step in ("prepare", "train", "select", "rollout")
        ),
    ),
    "workflows_outwait_their_functions": (
        in_text('"timeout":315', '"timeout":300'),
        service("train", timeoutSeconds=855),
    ),
    "workflows_tell_what_fails_but_not_the_data": (
        change(w.WORKFLOW, callLogLevel="LOG_ALL_CALLS"),
        change(w.WORKFLOW, callLogLevel=ABSENT),
    ),
    "what_holds_no_data_can_be_destroyed": (change(w.WORKFLOW, deletionProtection=ABSENT),),
    "schedules_are_tried_again_within_bounds": (
        change(w.JOB, "retrain-another-job", retryConfig=ABSENT),
        change(w.JOB, "retrain-another-job", retryConfig=altered(retryCount=6)),
        change(w.JOB, "retrain-another-job", attemptDeadline=ABSENT),
    ),
}

EDGES: Mapping[str, tuple[Break, ...]] = {
    "whatever_acts_has_an_account_of_its_own": (
        service("select", serviceAccountEmail=None),
        service("select", serviceAccountEmail="123456789012-compute@developer.gserviceaccount.com"),
        service("select", serviceAccountEmail=account("train-identity")),
    ),
    "nothing_is_allowed_to_everybody": (
        another(w.INVOKER, "api-invoker-job_status", member="allUsers"),
        another(w.BUCKET_MEMBER, "train-read-data-another", member="user:someone@example.org"),
    ),
    "roles_are_narrow_and_on_one_resource": (
        another(w.BUCKET_MEMBER, "train-read-data-another", role="roles/storage.admin"),
        another(w.PROJECT_MEMBER, "training-log-writer", role="roles/editor"),
        another(w.PROJECT_MEMBER, "training-log-writer", role="roles/workflows.serviceAgent"),
        another(w.PROJECT_MEMBER, "training-log-writer", role="roles/storage.objectViewer"),
        change(
            w.PROJECT_MEMBER,
            "code-builder-sources",
            condition=lambda old: {**old, "expression": 'resource.name.startsWith("projects/_/buckets/")'},
        ),
        another(w.INVOKER, "training-invoker-train", "gcp:projects/iAMMember:IAMMember"),
    ),
    "an_account_signs_as_itself_and_only_where_urls_are_handed_out": (
        drop(w.ACCOUNT_MEMBER, "predict-signer"),
        change(w.ACCOUNT_MEMBER, "predict-signer", member=w.member(account("jobs-identity"))),
        another(
            w.ACCOUNT_MEMBER,
            "predict-signer",
            member=w.member(account("jobs-identity")),
            serviceAccountId=f"projects/test-project/serviceAccounts/{account('jobs-identity')}",
        ),
    ),
    "service_agents_are_there_and_may_act": (
        never_asked_for("eventarc"),
        drop(w.PROJECT_MEMBER, "services-workflows-agent-role"),
        drop(w.PROJECT_MEMBER, "services-pubsub-agent-role"),
        too_early("datasets"),
        too_early("training"),
        too_early("train"),
    ),
    "functions_are_built_by_an_account_that_may_and_does_nothing_else": (
        built_with(serviceAccount=None),
        built_with(serviceAccount=f"projects/test-project/serviceAccounts/{account('train-identity')}"),
        built_with(dockerRepository=None),
        drop(w.REPOSITORY_MEMBER, "code-builder-images"),
        drop(w.PROJECT_MEMBER, "code-builder-log-writer"),
        drop(w.PROJECT_MEMBER, "code-builder-sources"),
        unordered_but_for(w.FUNCTION, "train-function", "train-code", "train-identity", "builder-images"),
    ),
    "grants_of_others_are_left_alone": (whole_policy,),
    "objects_are_granted_by_prefix": (
        change(w.BUCKET_MEMBER, "train-read-data-another", condition=ABSENT),
        change(
            w.BUCKET_MEMBER,
            "train-read-data-another",
            condition=lambda old: {
                **old,
                "expression": old["expression"].replace("objects/another/datasets/", "objects/"),
            },
        ),
        change(w.BUCKET_MEMBER, "train-read-data-another", bucket="models-bucket-1a2b3c4"),
    ),
    "conditions_can_be_evaluated": (
        change(
            w.BUCKET_MEMBER,
            "train-write-models-another",
            condition=lambda old: {**old, "expression": old["expression"] + MORE},
        ),
    ),
    "readers_learn_that_an_object_is_missing": (
        reads(lambda text: re.sub(r'(ListPrefix", )"[^"]*"', r'\1""', text)),
        reads(lambda text: re.sub(r'\(resource\.type == "[^"]*" && (.*)\)$', r"\1", text)),
        reads(lambda text: re.sub(r" \|\| \(resource\.type.*", "", text)),
        reads(lambda text: re.sub(r'startsWith\("[^"]*"\)\)\)$', 'startsWith("")))', text)),
    ),
    "the_api_may_call_what_its_routes_name": (
        drop(w.INVOKER, "api-invoker-job_status"),
        in_document(lambda document: predict(document)["x-google-backend"].pop("jwt_audience")),
    ),
    "a_gateway_leads_nowhere_before_it_may": (unordered_but_for(w.GATEWAY, "api-gateway", "api-config"),),
    "pushes_may_call_their_function": (
        drop(w.INVOKER, "jobs-courier-invoker"),
        change(
            w.SUBSCRIPTION,
            SUBSCRIPTION,
            pushConfig=lambda old: {**old, "oidcToken": without("audience")(old["oidcToken"])},
        ),
    ),
    "schedules_may_call_their_function": (
        calls_on_time(allowed=False),
        calls_on_time(audience="https://another.run.app"),
        calls_on_time(uri="https://another.run.app"),
    ),
    "workflows_may_call_their_functions_and_no_others": (
        drop(w.INVOKER, "training-invoker-train"),
        another(w.INVOKER, "training-invoker-train", name="jobs-function-1a2b3c4"),
    ),
    "workflows_may_be_started_by_what_starts_them": (
        drop(w.PROJECT_MEMBER, "training-starter-invoker"),
        change(w.TRIGGER, destination={"workflow": "projects/test-project/locations/europe-west1/workflows/another"}),
        change(w.JOB, "retrain-another-job", httpTarget=lambda old: {**old, "uri": f"{old['uri']}:cancel"}),
    ),
    "new_objects_may_be_announced": (
        drop(w.TOPIC_MEMBER, "datasets-publisher"),
        drop(w.TOPIC_MEMBER, "submissions-publisher"),
        unordered_but_for(w.NOTIFICATION, "datasets-notification", "datasets-trigger"),
    ),
    "objects_are_announced_once_somebody_listens": (
        unordered_but_for(w.NOTIFICATION, "datasets-notification", "datasets-publisher"),
        unordered_but_for(w.NOTIFICATION, "submissions-notification", "submissions-publisher"),
    ),
    "announcements_lead_somewhere": (drop(w.TRIGGER, "datasets-trigger"),),
    "nothing_that_an_arrival_starts_writes_where_it_waits": (
        change(w.TOPIC, "jobs-topic", messageTransforms=compares("in\\/", "out\\/")),
        change(w.TOPIC, "jobs-topic", messageTransforms=compares("(in\\/|)", "(.)")),
        change(w.TOPIC, "datasets-topic", messageTransforms=compares("incoming", "datasets")),
        change(w.TOPIC, "datasets-topic", messageTransforms=ABSENT),
        change(w.BUCKET_MEMBER, "jobs-write-jobs-another", condition=writes_inputs),
    ),
    "services_are_on_before_they_are_used": (unready, drop(w.SERVICE, "services-workflows")),
    "services_stay_on_for_others": (
        change(w.SERVICE, "services-run", disableOnDestroy=True),
        change(w.SERVICE, "services-run", disableOnDestroy=ABSENT),
    ),
    "texts_hold_no_unresolved_output": (
        change(w.TRIGGER, labels={"note": "Calling __str__ on an Output[T] is not supported."}),
    ),
    "physical_names_are_left_to_pulumi": (
        change(w.API, apiId="predictions"),
        change(w.WORKFLOW, name="training"),
    ),
    "accounts_leave_room_for_pulumi": (renamed("training-identity" * 2), renamed("train_identity")),
}

ACCOUNT: Mapping[str, tuple[Break, ...]] = {
    "processors_are_what_a_new_project_has": (
        service("predict", maxInstanceCount=11),
        service("prepare", availableCpu="2"),
    ),
    "memory_is_what_a_new_project_has": (service("train", availableMemory="5632Mi"),),
    "experiments_find_an_instance": (
        service("train", maxInstanceCount=3),
        in_text('"concurrency_limit":4', '"concurrency_limit":5'),
    ),
}


def asking(policy: str, edit: Callable[[str], str], **changes: Any) -> Break:
    """Return a change of what an alert policy asks."""

    def edited(conditions: list[Any]) -> list[Any]:
        [condition] = conditions
        asked = condition["conditionPrometheusQueryLanguage"]
        asked = {**asked, "query": edit(asked["query"]), **changes}
        return [{**condition, "conditionPrometheusQueryLanguage": asked}]

    return change(w.ALERT, f"monitor-{policy}", conditions=edited)


WATCHED: Mapping[str, tuple[Break, ...]] = {
    "every_dead_letter_has_an_alarm": (
        drop(w.ALERT, "monitor-dead-letters"),
        asking("dead-letters", lambda query: query.replace("jobs-", "others-")),
    ),
    "alarms_read_what_is_written": (
        drop(w.METRIC, "monitor-drift"),
        drop(w.METRIC, "monitor-latency"),
        asking("drift", lambda query: query.replace("monitor_drift", "drift")),
        asking("drift", str, disableMetricValidation=False),
    ),
    "who_is_told_is_told_of_every_alarm": (change(w.ALERT, "monitor-drift", notificationChannels=[]),),
}
BROKEN: Mapping[str, tuple[Break, ...]] = {**DATA, **COMPUTE, **EDGES, **ACCOUNT, **WATCHED}


def _source(build: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {"storageSource": {**build["source"]["storageSource"], **changes}}


def _every(graph: Graph, type_: str, **changes: Any) -> Graph:
    for resource in graph.of(type_):
        graph = graph.mutated(type_, resource.name, **changes)
    return graph
