"""Who may touch what: every edge of the graph has its permission, and no permission is wider than its edge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.function_table import FUNCTIONS
from infra.gcp.access import UNSCOPABLE
from interface.layout import JOB_CONTINUATIONS
from tests.graph import Graph, Made
from tests.infra.gcp import whole as w

ROLES = {
    w.BUCKET_MEMBER: {"roles/storage.objectViewer", "roles/storage.legacyBucketWriter"},
    w.TOPIC_MEMBER: {"roles/pubsub.publisher"},
    w.SUBSCRIPTION_MEMBER: {"roles/pubsub.subscriber"},
    w.INVOKER: {"roles/run.invoker"},
    w.ACCOUNT_MEMBER: {"roles/iam.serviceAccountTokenCreator"},
    w.PROJECT_MEMBER: set(UNSCOPABLE),
}
"""The only roles there may be; none of them may administer anything."""
OBJECTS = re.compile(r'resource\.name\.startsWith\("projects/_/buckets/([^/]+)/objects/([^"]*)"\)')
NEEDS = {
    "gcp:apigateway/": ("apigateway", "servicemanagement", "servicecontrol"),
    "gcp:cloudfunctionsv2/": ("cloudfunctions", "run", "cloudbuild", "artifactregistry"),
    "gcp:cloudrunv2/": ("run",),
    "gcp:cloudscheduler/": ("cloudscheduler", "workflowexecutions"),
    "gcp:eventarc/": ("eventarc", "pubsub", "workflowexecutions"),
    "gcp:logging/": ("logging",),
    "gcp:projects/iAMMember": ("cloudresourcemanager",),
    "gcp:projects/serviceIdentity": ("pubsub",),
    "gcp:pubsub/": ("pubsub",),
    "gcp:serviceaccount/iAMMember": ("iam", "iamcredentials"),
    "gcp:serviceaccount/": ("iam",),
    "gcp:storage/": ("storage",),
    "gcp:workflows/": ("workflows",),
}
GIVEN = ("name", "accountId", "apiId", "gatewayId", "bucketId", "bucket")


def _acting(graph: Graph) -> Iterator[tuple[Made, object]]:
    """Everything that acts, and the account that it acts as."""
    for made in graph.of(w.FUNCTION):
        yield made, w.service(made).get("serviceAccountEmail")
    for made in graph.of(w.WORKFLOW):
        yield made, made.inputs.get("serviceAccount")
    for made in graph.of(w.CONFIG):
        yield made, made.inputs["gatewayConfig"]["backendConfig"].get("googleServiceAccount")
    for made, _ in w.pushed(graph):
        yield made, made.inputs["pushConfig"].get("oidcToken", {}).get("serviceAccountEmail")


def _starting(graph: Graph) -> Iterator[tuple[Made, object, str]]:
    """Everything that starts a workflow, as whom, and which."""
    for made in graph.of(w.TRIGGER):
        yield made, made.inputs.get("serviceAccount"), made.inputs["destination"]["workflow"]
    for made in graph.of(w.JOB):
        target = made.inputs["httpTarget"]
        workflow = target["uri"].removeprefix("https://workflowexecutions.googleapis.com/v1/")
        yield made, target.get("oauthToken", {}).get("serviceAccountEmail"), workflow.removesuffix("/executions")


def whatever_acts_has_an_account_of_its_own(graph: Graph) -> list[str]:
    """Never the project's default one, which may edit everything, and never one that another thing acts as."""
    taken = [account for _, account in _acting(graph)] + sorted({str(account) for _, account, _ in _starting(graph)})
    return [
        f"{made.name}: acts as {account}"
        for made, account in [*_acting(graph), *((made, account) for made, account, _ in _starting(graph))]
        if w.by_output(graph, w.ACCOUNT, "email", account) is None or taken.count(account) > 1
    ]


def nothing_is_allowed_to_everybody(graph: Graph) -> list[str]:
    """Only accounts of the stack, and the two service agents that deliver for it."""
    known = {made.outputs["member"] for made in graph.of(w.ACCOUNT)} | {w.PUBSUB_AGENT, w.STORAGE_AGENT}
    return [
        f"{made.name}: allows {made.inputs['member']}"
        for made in graph
        if "role" in made.inputs and made.inputs.get("member") not in known
    ]


def roles_are_narrow_and_on_one_resource(graph: Graph) -> list[str]:
    return [
        f"{made.name}: grants {made.inputs['role']} by {made.type}"
        for made in graph
        if "role" in made.inputs and made.inputs["role"] not in ROLES.get(made.type, set())
    ]


def an_account_signs_as_itself_and_only_where_urls_are_handed_out(graph: Graph) -> list[str]:
    """Whoever may sign as another may become it."""
    wanted = {w.member(w.service(made)["serviceAccountEmail"]) for made in _signers(graph)}
    members = graph.of(w.ACCOUNT_MEMBER)
    as_others = [
        f"{made.name}: lets {made.inputs['member']} sign as {made.inputs['serviceAccountId']}"
        for made in members
        if not made.inputs["member"].endswith(made.inputs["serviceAccountId"].rpartition("/")[2])
    ]
    allowed = {made.inputs["member"] for made in members}
    return as_others + [f"{member}: signs, or does not, against what is asked" for member in sorted(wanted ^ allowed)]


def _signers(graph: Graph) -> list[Made]:
    """Functions are named after their row, and after a model where there are several of one."""
    signers = {spec.name for spec in FUNCTIONS if spec.signs}
    return [made for made in graph.of(w.FUNCTION) if made.name.partition("-")[0] in signers]


def grants_of_others_are_left_alone(graph: Graph) -> list[str]:
    """A binding or a policy would take away what was granted elsewhere."""
    return [made.name for made in graph if re.search(r"I[Aa][Mm](Binding|Policy)$", made.type)]


def objects_are_granted_by_prefix(graph: Graph) -> list[str]:
    found = []
    for made in graph.of(w.BUCKET_MEMBER):
        said = OBJECTS.findall(made.inputs.get("condition", {}).get("expression", ""))
        if not said or any(bucket != made.inputs["bucket"] or not prefix for bucket, prefix in said):
            found.append(f"{made.name}: allows more than the objects of a model")
    return found


def conditions_can_be_evaluated(graph: Graph) -> list[str]:
    """At most 12 logical operators: https://cloud.google.com/iam/docs/conditions-overview."""
    expressions = {
        made.name: made.inputs.get("condition", {}).get("expression", "") for made in graph.of(w.BUCKET_MEMBER)
    }
    return [f"{name}: its condition is too long" for name, text in expressions.items() if text.count("||") > 12]


def the_api_may_call_what_its_routes_name(graph: Graph) -> list[str]:
    found = []
    for config in graph.of(w.CONFIG):
        allowed = w.may_call(graph, config.inputs["gatewayConfig"]["backendConfig"].get("googleServiceAccount"))
        for route, operation in w.operations(config):
            function = w.at(graph, operation["x-google-backend"]["address"])
            audience = operation["x-google-backend"].get("jwt_audience")
            if function is None or function.outputs["name"] not in allowed or w.at(graph, audience) is not function:
                found.append(f"{config.name}: {route} may not call its function")
    return found


def pushes_may_call_their_function(graph: Graph) -> list[str]:
    found = []
    for subscription, function in w.pushed(graph):
        push = subscription.inputs["pushConfig"]
        token = push.get("oidcToken", {})
        allowed = w.may_call(graph, token.get("serviceAccountEmail"))
        if function.outputs["name"] not in allowed or token.get("audience") != push["pushEndpoint"]:
            found.append(f"{subscription.name}: may not call {function.name}")
    return found


def workflows_may_call_their_functions_and_no_others(graph: Graph) -> list[str]:
    found = []
    for made in graph.of(w.WORKFLOW):
        called = [w.at(graph, post["url"]) for post in w.posts(made.document("sourceContents"))]
        names = {function.outputs["name"] for function in called if function}
        if None in called or names != w.may_call(graph, made.inputs.get("serviceAccount")):
            found.append(f"{made.name}: calls {sorted(names)}")
    return found


def workflows_may_be_started_by_what_starts_them(graph: Graph) -> list[str]:
    return [
        f"{made.name}: may not start {workflow}"
        for made, account, workflow in _starting(graph)
        if w.by_output(graph, w.WORKFLOW, "id", workflow) is None
        or not w.granted(graph, w.PROJECT_MEMBER, w.member(account), "roles/workflows.invoker")
    ]


def new_objects_may_be_announced(graph: Graph) -> list[str]:
    """Cloud Storage tries its topic when the notification is made, so the grant comes first."""
    found = []
    for made in graph.of(w.NOTIFICATION):
        wanted = {"topic": made.inputs["topic"], "member": w.STORAGE_AGENT, "role": "roles/pubsub.publisher"}
        grants = {grant.urn for grant in graph.of(w.TOPIC_MEMBER) if wanted.items() <= grant.inputs.items()}
        if not grants & set(made.dependencies):
            found.append(f"{made.name}: may not be announced")
    return found


def announcements_lead_somewhere(graph: Graph) -> list[str]:
    heard = {made.inputs["topic"] for made, _ in w.pushed(graph)}
    heard |= {made.inputs["transport"]["pubsub"]["topic"] for made in graph.of(w.TRIGGER)}
    return [
        f"{made.name}: nobody hears of it" for made in graph.of(w.NOTIFICATION) if made.inputs["topic"] not in heard
    ]


def nothing_that_an_arrival_starts_writes_where_it_waits(graph: Graph) -> list[str]:
    """So no loop can begin. A job that goes on is announced anew, once for each part that it has done: it ends."""
    waits = [(made.inputs["bucket"], made.inputs.get("objectNamePrefix", "")) for made in graph.of(w.NOTIFICATION)]
    started = {w.member(w.service(function).get("serviceAccountEmail")) for _, function in w.pushed(graph)}
    for made in graph.of(w.WORKFLOW):
        functions = [w.at(graph, post["url"]) for post in w.posts(made.document("sourceContents"))]
        started |= {w.member(w.service(function).get("serviceAccountEmail")) for function in functions if function}
    return [
        f"{made.name}: writes to {bucket}/{prefix}"
        for made in graph.of(w.BUCKET_MEMBER)
        if made.inputs["role"] == "roles/storage.legacyBucketWriter" and made.inputs["member"] in started
        for bucket, prefix in OBJECTS.findall(made.inputs.get("condition", {}).get("expression", ""))
        if any(bucket == place and (prefix.startswith(at) or at.startswith(prefix)) for place, at in waits)
        if not (made.name.startswith("jobs-") and prefix.endswith(f"/{JOB_CONTINUATIONS}"))
    ]


def services_are_on_before_they_are_used(graph: Graph) -> list[str]:
    urns = {made.inputs["service"].removesuffix(".googleapis.com"): made.urn for made in graph.of(w.SERVICE)}
    found = []
    for made in graph:
        if made.component or made.type == w.SERVICE:
            continue
        needed = next((services for start, services in NEEDS.items() if made.type.startswith(start)), ("unknown",))
        missing = [service for service in needed if urns.get(service) not in w.waits_for(graph, made)]
        found += [f"{made.name}: does not wait for {service}" for service in missing]
    return found


def services_stay_on_for_others(graph: Graph) -> list[str]:
    return [made.name for made in graph.of(w.SERVICE) if made.inputs.get("disableOnDestroy") is not False]


def texts_hold_no_unresolved_output(graph: Graph) -> list[str]:
    return [made.name for made in graph if "Calling __str__ on an Output" in repr(made.inputs)]


def physical_names_are_left_to_pulumi(graph: Graph) -> list[str]:
    """A name of ours would keep a second stack out of the project."""
    return [
        f"{made.name}: is called {made.inputs[key]}"
        for made in graph
        for key in GIVEN
        if not made.component
        and made.type not in (w.OBJECT, w.SERVICE)
        and isinstance(made.inputs.get(key), str)
        and "-1a2b3c4" not in made.inputs[key]
    ]


def accounts_leave_room_for_pulumi(graph: Graph) -> list[str]:
    """An account's name has 6 to 30 characters, of which Pulumi adds a hyphen and seven."""
    names = [made.name for made in graph.of(w.ACCOUNT)]
    return [f"{name}: makes no name for an account" for name in names if not re.fullmatch(r"[a-z][a-z0-9-]{,21}", name)]


RULES = (
    whatever_acts_has_an_account_of_its_own,
    nothing_is_allowed_to_everybody,
    roles_are_narrow_and_on_one_resource,
    an_account_signs_as_itself_and_only_where_urls_are_handed_out,
    grants_of_others_are_left_alone,
    objects_are_granted_by_prefix,
    conditions_can_be_evaluated,
    the_api_may_call_what_its_routes_name,
    pushes_may_call_their_function,
    workflows_may_call_their_functions_and_no_others,
    workflows_may_be_started_by_what_starts_them,
    new_objects_may_be_announced,
    announcements_lead_somewhere,
    nothing_that_an_arrival_starts_writes_where_it_waits,
    services_are_on_before_they_are_used,
    services_stay_on_for_others,
    texts_hold_no_unresolved_output,
    physical_names_are_left_to_pulumi,
    accounts_leave_room_for_pulumi,
)
