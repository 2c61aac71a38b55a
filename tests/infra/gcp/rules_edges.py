"""Who may touch what: every edge of the graph has its permission, and no permission is wider than its edge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.function_table import FUNCTIONS
from infra.gcp.access import UNSCOPABLE
from infra.gcp.project import AGENTS, agent_role
from interface import layout
from interface.layout import JOB_CONTINUATIONS
from localcloud.gcp.iam.condition import RequestAttributes, condition
from tests.graph import Graph, Resource
from tests.infra.gcp import whole as w

ROLES = {
    w.BUCKET_MEMBER: {"roles/storage.objectViewer", "roles/storage.legacyBucketWriter"},
    w.TOPIC_MEMBER: {"roles/pubsub.publisher"},
    w.SUBSCRIPTION_MEMBER: {"roles/pubsub.subscriber"},
    w.INVOKER: {"roles/run.invoker"},
    w.ACCOUNT_MEMBER: {"roles/iam.serviceAccountTokenCreator"},
    w.REPOSITORY_MEMBER: {"roles/artifactregistry.writer"},
    w.PROJECT_MEMBER: {*UNSCOPABLE, *map(agent_role, AGENTS), "roles/storage.objectViewer"},
}
"""The only roles there may be; none of them may administer anything."""
OBJECTS = re.compile(r'resource\.name\.startsWith\("projects/_/buckets/([^/]+)/objects/([^"]*)"\)')
NEEDS = {
    "gcp:artifactregistry/": ("artifactregistry",),
    "gcp:billing/": ("billingbudgets",),
    "gcp:apigateway/": ("apigateway", "servicemanagement", "servicecontrol"),
    "gcp:cloudfunctionsv2/": ("cloudfunctions", "run", "cloudbuild", "artifactregistry"),
    "gcp:cloudrunv2/": ("run",),
    "gcp:cloudscheduler/": ("cloudscheduler", "workflowexecutions"),
    "gcp:eventarc/": ("eventarc", "pubsub", "workflowexecutions"),
    "gcp:logging/": ("logging",),
    "gcp:monitoring/": ("monitoring",),
    "gcp:projects/iAMCustomRole": ("iam",),
    "gcp:projects/iAMMember": ("cloudresourcemanager",),
    "gcp:pubsub/": ("pubsub",),
    "gcp:serviceaccount/iAMMember": ("iam", "iamcredentials"),
    "gcp:serviceaccount/": ("iam",),
    "gcp:storage/": ("storage",),
    "gcp:workflows/": ("workflows",),
}
NEEDS_AGENTS = {
    "gcp:cloudfunctionsv2/": ("cloudbuild", "cloudfunctions", "run"),
    "gcp:cloudscheduler/": ("cloudscheduler",),
    "gcp:eventarc/": ("eventarc", "pubsub"),
    "gcp:pubsub/subscription:": ("pubsub",),
    "gcp:workflows/": ("workflows",),
}
"""Whose service agents make a resource, or act for it."""
FOLDERS = tuple(value for name, value in vars(layout).items() if name.isupper() and isinstance(value, str))
NAMES = ("name", "accountId", "apiId", "gatewayId", "bucketId", "bucket", "repositoryId")


def _acting(graph: Graph) -> Iterator[tuple[Resource, object]]:
    """Yield everything that acts, and the account that it acts as."""
    for resource in graph.of(w.FUNCTION):
        yield resource, w.service(resource).get("serviceAccountEmail")
    for resource in graph.of(w.WORKFLOW):
        yield resource, resource.inputs.get("serviceAccount")
    for resource in graph.of(w.CONFIG):
        yield resource, resource.inputs["gatewayConfig"]["backendConfig"].get("googleServiceAccount")
    for resource, _ in w.pushed(graph):
        yield resource, resource.inputs["pushConfig"].get("oidcToken", {}).get("serviceAccountEmail")
    for resource, token, _ in _scheduled_calls(graph):
        yield resource, token.get("serviceAccountEmail")


def _scheduled_calls(graph: Graph) -> Iterator[tuple[Resource, dict[str, Any], str]]:
    """Yield every job that calls a function on time, the token by which it does so, and the address."""
    for resource in graph.of(w.JOB):
        target = resource.inputs["httpTarget"]
        if "oidcToken" in target:
            yield resource, target["oidcToken"], target["uri"]


def _starting(graph: Graph) -> Iterator[tuple[Resource, object, str]]:
    """Yield everything that starts a workflow, the account it does so as, and the workflow."""
    for resource in graph.of(w.TRIGGER):
        yield resource, resource.inputs.get("serviceAccount"), resource.inputs["destination"]["workflow"]
    for resource in graph.of(w.JOB):
        target = resource.inputs["httpTarget"]
        if "oidcToken" in target:
            continue
        workflow = target["uri"].removeprefix("https://workflowexecutions.googleapis.com/v1/")
        yield resource, target.get("oauthToken", {}).get("serviceAccountEmail"), workflow.removesuffix("/executions")


def whatever_acts_has_an_account_of_its_own(graph: Graph) -> list[str]:
    """Never the project's default one, which may edit everything, and never one that another thing acts as."""
    accounts = [account for _, account in _acting(graph)] + sorted({str(account) for _, account, _ in _starting(graph)})
    return [
        f"{resource.name}: acts as {account}"
        for resource, account in [*_acting(graph), *((resource, account) for resource, account, _ in _starting(graph))]
        if w.by_output(graph, w.ACCOUNT, "email", account) is None or accounts.count(account) > 1
    ]


def nothing_is_allowed_to_everybody(graph: Graph) -> list[str]:
    """Only accounts of the stack, and service agents that were asked for; that of Cloud Storage is looked up."""
    known = {resource.outputs["member"] for resource in graph.of(w.ACCOUNT)}
    known |= {w.STORAGE_AGENT, *map(w.agent_member, w.agents(graph))}
    return [
        f"{resource.name}: allows {resource.inputs['member']}"
        for resource in graph
        if "role" in resource.inputs and resource.inputs.get("member") not in known
    ]


def roles_are_narrow_and_on_one_resource(graph: Graph) -> list[str]:
    """A service agent's role is for that agent alone; a builder reads by a condition on the names of buckets.

    What who stops the stack may do has rules of its own: rules_budget.py.
    """
    agents = {agent_role(service): w.agent_member(service) for service in w.agents(graph)}
    return [
        f"{resource.name}: grants {resource.inputs['role']} by {resource.type}"
        for resource in graph
        if "role" in resource.inputs
        and not resource.name.startswith(w.STOPPING)
        and (
            resource.inputs["role"] not in ROLES.get(resource.type, set())
            or resource.inputs["member"] != agents.get(resource.inputs["role"], resource.inputs["member"])
            or (
                resource.type == w.PROJECT_MEMBER
                and resource.inputs["role"] == "roles/storage.objectViewer"
                and not w.reads_sources_alone(resource)
            )
        )
    ]


def service_agents_are_there_and_may_act(graph: Graph) -> list[str]:
    """One that was not asked for does not exist in a new project, and one that was has no role but those granted."""
    ready = {}
    for service, agent in w.agents(graph).items():
        expected = {"member": w.agent_member(service), "role": agent_role(service)}
        grants = {grant.urn for grant in graph.of(w.PROJECT_MEMBER) if expected.items() <= grant.inputs.items()}
        ready[service] = {agent.urn} | grants if grants else set()
    return [
        f"{resource.name}: may be made before the service agent of {service} can act"
        for resource in graph
        if not resource.component
        for start, services in NEEDS_AGENTS.items()
        if resource.type.startswith(start)
        for service in services
        if not ready.get(service) or not ready[service] <= w.waits_for(graph, resource)
    ]


def functions_are_built_by_an_account_that_may_and_does_nothing_else(graph: Graph) -> list[str]:
    """The default one has no role in a new organisation; the repository that Google makes is late in a new project."""
    acting = {account for _, account in _acting(graph)}
    problems = []
    for resource in graph.of(w.FUNCTION):
        build = resource.inputs["buildConfig"]
        account = w.by_output(graph, w.ACCOUNT, "name", build.get("serviceAccount"))
        images = w.by_output(graph, w.REPOSITORY, "id", build.get("dockerRepository"))
        member = account.outputs["member"] if account else None
        grants = [
            grant.urn
            for grant in graph
            if grant.inputs.get("member") == member
            and (
                grant.inputs.get("role") == "roles/logging.logWriter"
                or (grant.type == w.PROJECT_MEMBER and grant.inputs["role"] == "roles/storage.objectViewer")
                or (images and grant.inputs.get("repository") == images.outputs["name"])
            )
        ]
        if not account or len(grants) != 3 or not {*grants} <= w.waits_for(graph, resource):
            problems.append(f"{resource.name}: its build is refused")
        elif account.outputs["email"] in acting:
            problems.append(f"{resource.name}: is built by an account that has another use")
    return problems


def an_account_signs_as_itself_and_only_where_urls_are_handed_out(graph: Graph) -> list[str]:
    """Whoever may sign as another may become it."""
    expected = {w.member(w.service(resource)["serviceAccountEmail"]) for resource in _signers(graph)}
    members = [each for each in graph.of(w.ACCOUNT_MEMBER) if not each.name.startswith(w.STOPPING)]
    as_others = [
        f"{resource.name}: lets {resource.inputs['member']} sign as {resource.inputs['serviceAccountId']}"
        for resource in members
        if not resource.inputs["member"].endswith(resource.inputs["serviceAccountId"].rpartition("/")[2])
    ]
    allowed = {resource.inputs["member"] for resource in members}
    return as_others + [f"{member}: signs, or does not, against what is asked" for member in sorted(expected ^ allowed)]


def _signers(graph: Graph) -> list[Resource]:
    """Return the functions that sign, which are named after their row, and after a model where a row has several."""
    signers = {spec.name for spec in FUNCTIONS if spec.signs}
    return [resource for resource in graph.of(w.FUNCTION) if resource.name.partition("-")[0] in signers]


def grants_of_others_are_left_alone(graph: Graph) -> list[str]:
    """A binding or a policy would take away what was granted elsewhere."""
    return [resource.name for resource in graph if re.search(r"I[Aa][Mm](Binding|Policy)$", resource.type)]


def objects_are_granted_by_prefix(graph: Graph) -> list[str]:
    problems = []
    for resource in graph.of(w.BUCKET_MEMBER):
        granted = OBJECTS.findall(resource.inputs.get("condition", {}).get("expression", ""))
        if not granted or any(bucket != resource.inputs["bucket"] or not prefix for bucket, prefix in granted):
            problems.append(f"{resource.name}: allows more than the objects of a model")
    return problems


def conditions_can_be_evaluated(graph: Graph) -> list[str]:
    """At most 12 logical operators: https://cloud.google.com/iam/docs/conditions-overview."""
    expressions = {
        resource.name: resource.inputs.get("condition", {}).get("expression", "")
        for resource in graph.of(w.BUCKET_MEMBER)
    }
    return [
        f"{name}: its condition is too long"
        for name, text in expressions.items()
        if text.count("||") + text.count("&&") > 12
    ]


def readers_learn_that_an_object_is_missing(graph: Graph) -> list[str]:
    """And nothing of objects elsewhere: neither their content nor their names."""
    problems = []
    for resource in graph.of(w.BUCKET_MEMBER):
        if resource.inputs["role"] != "roles/storage.objectViewer" or "condition" not in resource.inputs:
            continue
        allows = condition(resource.inputs["condition"]["expression"])
        bucket = f"projects/_/buckets/{resource.inputs['bucket']}"
        granted = {prefix for _, prefix in OBJECTS.findall(resource.inputs["condition"]["expression"]) if prefix}
        wanted = {
            "what is missing": allows(RequestAttributes(name=bucket)),
            "the names below its prefixes": all(
                allows(RequestAttributes(name=bucket, list_prefix=prefix)) for prefix in granted
            ),
        }
        unwanted = {
            "objects elsewhere": allows(RequestAttributes(name="projects/_/buckets/elsewhere/objects/x")),
            "names elsewhere": any(
                allows(RequestAttributes(name=bucket, list_prefix=prefix)) for prefix in ("", "elsewhere/")
            ),
        }
        problems += [f"{resource.name}: does not learn {what}" for what, learns in wanted.items() if not learns]
        problems += [f"{resource.name}: learns {what}" for what, learns in unwanted.items() if learns]
    return problems


def the_api_may_call_what_its_routes_name(graph: Graph) -> list[str]:
    problems = []
    for config in graph.of(w.CONFIG):
        allowed = w.may_call(graph, config.inputs["gatewayConfig"]["backendConfig"].get("googleServiceAccount"))
        for route, operation in w.operations(config):
            function = w.at(graph, operation["x-google-backend"]["address"])
            audience = operation["x-google-backend"].get("jwt_audience")
            if function is None or function.outputs["name"] not in allowed or w.at(graph, audience) is not function:
                problems.append(f"{config.name}: {route} may not call its function")
    return problems


def pushes_may_call_their_function(graph: Graph) -> list[str]:
    problems = []
    for subscription, function in w.pushed(graph):
        push = subscription.inputs["pushConfig"]
        token = push.get("oidcToken", {})
        allowed = w.may_call(graph, token.get("serviceAccountEmail"))
        if function.outputs["name"] not in allowed or token.get("audience") != push["pushEndpoint"]:
            problems.append(f"{subscription.name}: may not call {function.name}")
    return problems


def schedules_may_call_their_function(graph: Graph) -> list[str]:
    """As an account of their own, with a token for the function's address, once they may."""
    problems = []
    for job, token, address in _scheduled_calls(graph):
        function, allowed = w.at(graph, address), w.may_call(graph, token.get("serviceAccountEmail"))
        if function is None or function.outputs["name"] not in allowed or token.get("audience") != address:
            problems.append(f"{job.name}: may not call {address}")
    return problems


def workflows_may_call_their_functions_and_no_others(graph: Graph) -> list[str]:
    problems = []
    for resource in graph.of(w.WORKFLOW):
        called = [w.at(graph, post["url"]) for post in w.posts(resource.document("sourceContents"))]
        names = {function.outputs["name"] for function in called if function}
        if None in called or names != w.may_call(graph, resource.inputs.get("serviceAccount")):
            problems.append(f"{resource.name}: calls {sorted(names)}")
    return problems


def workflows_may_be_started_by_what_starts_them(graph: Graph) -> list[str]:
    return [
        f"{resource.name}: may not start {workflow}"
        for resource, account, workflow in _starting(graph)
        if w.by_output(graph, w.WORKFLOW, "id", workflow) is None
        or not w.granted(graph, w.PROJECT_MEMBER, w.member(account), "roles/workflows.invoker")
    ]


def a_gateway_leads_nowhere_before_it_may(graph: Graph) -> list[str]:
    """A model that gets a function of its own is called there from the moment that the gateway has its new routes."""
    api = graph.one(w.ACCOUNT, "api-identity").outputs["member"]
    grants = {grant.urn for grant in graph.of(w.INVOKER) if grant.inputs["member"] == api}
    return [
        f"{resource.name}: is served before it may call its functions"
        for resource in graph.of(w.GATEWAY)
        if not grants <= set(resource.dependencies)
    ]


def new_objects_may_be_announced(graph: Graph) -> list[str]:
    """Cloud Storage tries its topic when the notification is made, so the grant comes first."""
    problems = []
    for resource in graph.of(w.NOTIFICATION):
        expected = {"topic": resource.inputs["topic"], "member": w.STORAGE_AGENT, "role": "roles/pubsub.publisher"}
        grants = {grant.urn for grant in graph.of(w.TOPIC_MEMBER) if expected.items() <= grant.inputs.items()}
        if not grants & set(resource.dependencies):
            problems.append(f"{resource.name}: may not be announced")
    return problems


def objects_are_announced_once_somebody_listens(graph: Graph) -> list[str]:
    """What is announced before is lost; and the topic's grant is minutes old by then."""
    listeners: dict[str, set[str]] = {}
    for resource, _ in w.pushed(graph):
        listeners.setdefault(resource.inputs["topic"], set()).add(resource.urn)
    for resource in graph.of(w.TRIGGER):
        listeners.setdefault(resource.inputs["transport"]["pubsub"]["topic"], set()).add(resource.urn)
    return [
        f"{resource.name}: is made before somebody listens"
        for resource in graph.of(w.NOTIFICATION)
        if not listeners.get(resource.inputs["topic"], set()) <= set(resource.dependencies)
    ]


def announcements_lead_somewhere(graph: Graph) -> list[str]:
    heard = {resource.inputs["topic"] for resource, _ in w.pushed(graph)}
    heard |= {resource.inputs["transport"]["pubsub"]["topic"] for resource in graph.of(w.TRIGGER)}
    return [
        f"{resource.name}: nobody hears of it"
        for resource in graph.of(w.NOTIFICATION)
        if resource.inputs["topic"] not in heard
    ]


def nothing_that_an_arrival_starts_writes_where_it_waits(graph: Graph) -> list[str]:
    """So no loop can begin. A job that goes on is announced anew, once for each part that it has done: it ends."""
    models = (*w.settings().models, "elsewhere")
    keys = [f"{layout.below(model, folder)}x" for model in models for folder in FOLDERS]
    waits = {
        (resource.inputs["bucket"], key)
        for resource in graph.of(w.NOTIFICATION)
        for key in keys
        if w.announced(graph, resource, key)
    }
    started = {w.member(w.service(function).get("serviceAccountEmail")) for _, function in w.pushed(graph)}
    for resource in graph.of(w.WORKFLOW):
        functions = [w.at(graph, post["url"]) for post in w.posts(resource.document("sourceContents"))]
        started |= {w.member(w.service(function).get("serviceAccountEmail")) for function in functions if function}
    return [
        f"{resource.name}: writes to {bucket}/{prefix}"
        for resource in graph.of(w.BUCKET_MEMBER)
        if resource.inputs["role"] == "roles/storage.legacyBucketWriter" and resource.inputs["member"] in started
        for bucket, prefix in OBJECTS.findall(resource.inputs.get("condition", {}).get("expression", ""))
        if any(bucket == waiting and key.startswith(prefix) for waiting, key in waits)
        if not (resource.name.startswith("jobs-") and prefix.startswith(JOB_CONTINUATIONS))
    ]


def services_are_on_before_they_are_used(graph: Graph) -> list[str]:
    urns = {
        resource.inputs["service"].removesuffix(".googleapis.com"): resource.urn for resource in graph.of(w.SERVICE)
    }
    problems = []
    for resource in graph:
        if resource.component or resource.type == w.SERVICE:
            continue
        needed = next((services for start, services in NEEDS.items() if resource.type.startswith(start)), ("unknown",))
        if resource.type == w.AGENT:
            needed = (resource.inputs["service"].removesuffix(".googleapis.com"),)
        missing = [service for service in needed if urns.get(service) not in w.waits_for(graph, resource)]
        problems += [f"{resource.name}: does not wait for {service}" for service in missing]
    return problems


def services_stay_on_for_others(graph: Graph) -> list[str]:
    return [resource.name for resource in graph.of(w.SERVICE) if resource.inputs.get("disableOnDestroy") is not False]


def texts_hold_no_unresolved_output(graph: Graph) -> list[str]:
    return [resource.name for resource in graph if "Calling __str__ on an Output" in repr(resource.inputs)]


def physical_names_are_left_to_pulumi(graph: Graph) -> list[str]:
    """A name of ours would keep a second stack out of the project."""
    return [
        f"{resource.name}: is called {resource.inputs[key]}"
        for resource in graph
        for key in NAMES
        if not resource.component
        and resource.type not in (w.OBJECT, w.SERVICE)
        and isinstance(resource.inputs.get(key), str)
        and "-1a2b3c4" not in resource.inputs[key]
    ]


def accounts_leave_room_for_pulumi(graph: Graph) -> list[str]:
    """An account's name has 6 to 30 characters, of which Pulumi adds a hyphen and seven."""
    names = [resource.name for resource in graph.of(w.ACCOUNT)]
    return [f"{name}: makes no name for an account" for name in names if not re.fullmatch(r"[a-z][a-z0-9-]{,21}", name)]


RULES = (
    whatever_acts_has_an_account_of_its_own,
    nothing_is_allowed_to_everybody,
    roles_are_narrow_and_on_one_resource,
    an_account_signs_as_itself_and_only_where_urls_are_handed_out,
    service_agents_are_there_and_may_act,
    functions_are_built_by_an_account_that_may_and_does_nothing_else,
    grants_of_others_are_left_alone,
    objects_are_granted_by_prefix,
    conditions_can_be_evaluated,
    readers_learn_that_an_object_is_missing,
    the_api_may_call_what_its_routes_name,
    a_gateway_leads_nowhere_before_it_may,
    pushes_may_call_their_function,
    schedules_may_call_their_function,
    workflows_may_call_their_functions_and_no_others,
    workflows_may_be_started_by_what_starts_them,
    new_objects_may_be_announced,
    objects_are_announced_once_somebody_listens,
    announcements_lead_somewhere,
    nothing_that_an_arrival_starts_writes_where_it_waits,
    services_are_on_before_they_are_used,
    services_stay_on_for_others,
    texts_hold_no_unresolved_output,
    physical_names_are_left_to_pulumi,
    accounts_leave_room_for_pulumi,
)
