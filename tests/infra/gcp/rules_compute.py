"""What must hold of every function, of the API and of the workflow: from the whole graph to what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.graph import Graph, Resource
from tests.infra.gcp import whole as w

SUPPORTED = frozenset({"python311", "python312", "python313"})
SECRET = re.compile(r"secret|password|passwd|token|api_?key|private_?key|credential", re.IGNORECASE)
ENVIRONMENT_BYTES = 32 * 1024
SPREADING_SECONDS = 7 * 60
KERNEL = "Haswell"
"""OpenBLAS's kernel that every processor of the cloud can run: all are x86-64."""
VECTORS = "X86_V4 AVX512_ICL AVX512_SPR"
"""What numpy leaves alone, since not every processor of the cloud has it."""
MEMORY_MB = {"1": 4096, "2": 8192, "4": 16_384}
"""The most memory that so many processors can have."""


def functions_have_bounds(graph: Graph) -> list[str]:
    return [
        f"{function.name}: timeout {w.service(function).get('timeoutSeconds')} s"
        f", memory {w.service(function).get('availableMemory')}"
        for function in graph.of(w.FUNCTION)
        if not 3 <= w.service(function).get("timeoutSeconds", 0) <= 3600
        or not re.fullmatch(r"[1-9][0-9]+Mi", w.service(function).get("availableMemory", ""))
    ]


def functions_cannot_flood(graph: Graph) -> list[str]:
    return [
        f"{function.name}: has no greatest number of instances"
        for function in graph.of(w.FUNCTION)
        if not w.service(function).get("maxInstanceCount")
    ]


def instances_that_are_shared_can_be(graph: Graph) -> list[str]:
    """https://cloud.google.com/run/docs/configuring/services/cpu: below one processor, one request at a time."""
    problems = []
    for function in graph.of(w.FUNCTION):
        service = w.service(function)
        requests = int(service.get("maxInstanceRequestConcurrency", 80))
        if not 1 <= requests <= 1000:
            problems.append(f"{function.name}: takes {requests} requests at a time")
        if requests == 1:
            continue
        processors, memory = service.get("availableCpu", "less than 1"), service.get("availableMemory", "")
        if int(memory.removesuffix("Mi") or 0) > MEMORY_MB.get(processors, 0):
            problems.append(f"{function.name}: {processors} processors with {memory} take one request at a time")
        if service["environmentVariables"].get("THREADS") != str(requests):
            problems.append(f"{function.name}: its server does not answer {requests} requests at a time")
    return problems


def no_more_instances_wait_than_may_run(graph: Graph) -> list[str]:
    return [
        f"{function.name}: {w.service(function)['minInstanceCount']} instances wait"
        for function in graph.of(w.FUNCTION)
        if w.service(function).get("minInstanceCount", 0) > w.service(function).get("maxInstanceCount", 0) > 0
    ]


def the_api_waits_longer_than_its_functions(graph: Graph) -> list[str]:
    problems = []
    for config in graph.of(w.CONFIG):
        for route, operation in w.operations(config):
            backend = operation["x-google-backend"]
            function = w.at(graph, backend["address"])
            needed = w.service(function)["timeoutSeconds"] if function else 0
            if not needed < backend.get("deadline", 15):
                problems.append(f"{config.name}: {route} waits {backend.get('deadline')} s")
    return problems


def functions_share_one_supported_runtime(graph: Graph) -> list[str]:
    runtimes = {function.inputs["buildConfig"].get("runtime") for function in graph.of(w.FUNCTION)}
    return [] if len(runtimes) == 1 and runtimes <= SUPPORTED else [f"runtimes: {runtimes}"]


def code_is_named_by_its_digest(graph: Graph) -> list[str]:
    problems = []
    for function in graph.of(w.FUNCTION):
        source = function.inputs["buildConfig"]["source"]["storageSource"]
        uploaded = [
            resource
            for resource in graph.of(w.OBJECT)
            if (resource.inputs["bucket"], resource.inputs["name"], resource.outputs["generation"])
            == (source.get("bucket"), source.get("object"), source.get("generation"))
        ]
        if len(uploaded) != 1:
            problems.append(f"{function.name}: its code is not the upload")
        elif not re.fullmatch(r"[a-z0-9-]+/[0-9a-f]{64}\.zip", uploaded[0].inputs["name"]):
            problems.append(f"{function.name}: {uploaded[0].inputs['name']} holds no digest")
    return problems


def environments_are_small_and_hold_no_secret(graph: Graph) -> list[str]:
    problems = []
    for function in graph.of(w.FUNCTION):
        variables = w.variables(function)
        problems += [f"{function.name}: {name} looks like a secret" for name in variables if SECRET.search(name)]
        if sum(len(name) + len(value) for name, value in variables.items()) > ENVIRONMENT_BYTES:
            problems.append(f"{function.name}: its environment is too large")
    return problems


def training_computes_the_same_on_every_processor(graph: Graph) -> list[str]:
    """One kernel for the architecture, and sums that are not split among threads."""
    function = graph.one(w.FUNCTION, "train-function")
    variables = w.variables(function)
    problems = []
    if variables.get("OPENBLAS_CORETYPE") != KERNEL or variables.get("NPY_DISABLE_CPU_FEATURES") != VECTORS:
        problems.append(f"{function.name}: its processor chooses how it computes")
    if {variables.get("OPENBLAS_NUM_THREADS"), variables.get("OMP_NUM_THREADS")} != {"1"}:
        problems.append(f"{function.name}: threads share a sum")
    return problems


def consumers_are_closed_to_the_internet(graph: Graph) -> list[str]:
    return [
        f"{function.name}: is open to the internet"
        for _, function in w.pushed(graph)
        if w.service(function).get("ingressSettings") != "ALLOW_INTERNAL_ONLY"
    ]


def logs_are_forgotten(graph: Graph) -> list[str]:
    """Whatever runs has a log bucket of its own, filled by a sink; nothing of it stays in the project's."""
    running = {f'service_name="{resource.outputs["name"]}"': resource for resource in graph.of(w.FUNCTION)}
    running |= {f'workflow_id="{resource.outputs["name"]}"': resource for resource in graph.of(w.WORKFLOW)}
    running |= {f'gateway_id="{resource.inputs["gatewayId"]}"': resource for resource in graph.of(w.GATEWAY)}
    return [
        f"{resource.name}: its log is kept by the project's rules"
        for mark, resource in running.items()
        if not _has_log_bucket(graph, mark)
    ]


def _has_log_bucket(graph: Graph, mark: str) -> bool:
    sinks = [resource for resource in graph.of(w.SINK) if mark in resource.inputs["filter"]]
    excluded = [resource.inputs["filter"] for resource in graph.of(w.EXCLUSION)]
    buckets = {f"logging.googleapis.com/{resource.outputs['id']}": resource for resource in graph.of(w.LOGS)}
    return any(
        sink.inputs["filter"] in excluded
        and sink.inputs["destination"] in buckets
        and bool(buckets[sink.inputs["destination"]].inputs.get("retentionDays"))
        for sink in sinks
    )


def routes_are_authorised_or_say_why_not(graph: Graph) -> list[str]:
    problems = []
    for config in graph.of(w.CONFIG):
        document = w.openapi(config)
        has_reason = document["info"]["description"].startswith("Open to everyone: ")
        token = document.get("securityDefinitions", {}).get("token", {})
        closed = token.get("x-google-issuer") and token.get("x-google-audiences")
        problems += [
            f"{config.name}: {route} is open to everyone"
            for route, operation in w.operations(config)
            if not has_reason and not (closed and operation.get("security", document.get("security")))
        ]
    return problems


def callers_are_throttled(graph: Graph) -> list[str]:
    """A quota is one of projects that have the API's managed service enabled."""
    enabled = {resource.inputs["service"] for resource in graph.of(w.SERVICE)}
    problems = [
        f"{api.name}: its service is not enabled"
        for api in graph.of(w.API)
        if api.outputs["managedService"] not in enabled
    ]
    for config in graph.of(w.CONFIG):
        management = w.openapi(config).get("x-google-management", {})
        limits = {limit["metric"]: limit["values"] for limit in management.get("quota", {}).get("limits", [])}
        problems += [
            f"{config.name}: {route} is not counted"
            for route, operation in w.operations(config)
            if not set(operation.get("x-google-quota", {}).get("metricCosts", {})) & set(limits)
        ]
    return problems


def workflows_are_sound(graph: Graph) -> list[str]:
    return [
        f"{resource.name}: {problem}"
        for resource in graph.of(w.WORKFLOW)
        for problem in w.faults(resource.inputs["sourceContents"])
    ]


def first_steps_wait_for_permissions(graph: Graph) -> list[str]:
    """A grant takes "2 minutes, or potentially 7 minutes or longer" to take effect
    (https://cloud.google.com/iam/docs/access-change-propagation): a call that may come before the first pause is made
    again after a 403, for so long.
    """
    problems = []
    for resource in graph.of(w.WORKFLOW):
        source = resource.document("sourceContents")
        for name, subworkflow in _first_calls(source):
            (block, *_) = source[subworkflow]["steps"][0].values()
            retry = block["retry"]
            codes = source[retry["predicate"].strip("${}")]["steps"][0]["judge"]["switch"][0]["condition"]
            if "403" not in codes or _seconds(retry) < SPREADING_SECONDS:
                problems.append(f"{resource.name}: {name} fails while its permission spreads")
    return problems


def _first_calls(source: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each step that can be reached without a pause and without a failure, and the subworkflow that it calls."""
    steps = {name: s for entry in source["main"]["steps"][1]["attempt"]["try"]["steps"] for name, s in entry.items()}
    waiting, reached = [next(iter(steps))], set()
    while waiting:
        name = waiting.pop()
        step = steps.get(name, {})
        if name in reached or step.get("call") == "sys.sleep":
            continue
        reached.add(name)
        waiting += [branch["next"] for branch in step.get("switch", []) if "next" in branch]
        # A parallel step goes on to the one below it.
        order = list(steps)
        waiting += [step["next"]] if "next" in step else [order[order.index(name) + 1]] if "parallel" in step else []
        called = re.findall(r"'call': '((?!sys\.)\w+)'", repr(step))
        yield from ((name, subworkflow) for subworkflow in called)


def _seconds(retry: dict[str, Any]) -> float:
    backoff = retry["backoff"]
    pauses = (backoff["initial_delay"] * backoff["multiplier"] ** n for n in range(retry["max_retries"]))
    return sum(min(pause, backoff["max_delay"]) for pause in pauses)


def workflows_outwait_their_functions(graph: Graph) -> list[str]:
    problems = []
    for resource in graph.of(w.WORKFLOW):
        for post in w.posts(resource.document("sourceContents")):
            function = w.at(graph, post["url"])
            if function is None or post["timeout"] <= w.service(function)["timeoutSeconds"]:
                problems.append(f"{resource.name}: gives {post['url']} {post['timeout']} s")
    return problems


def workflows_tell_what_fails_but_not_the_data(graph: Graph) -> list[str]:
    return [
        f"{resource.name}: logs {resource.inputs.get('callLogLevel')}"
        for resource in graph.of(w.WORKFLOW)
        if resource.inputs.get("callLogLevel") != "LOG_ERRORS_ONLY"
    ]


def what_holds_no_data_can_be_destroyed(graph: Graph) -> list[str]:
    """https://www.pulumi.com/registry/packages/gcp/api-docs/workflows/workflow/: protected unless told otherwise."""
    return [
        f"{resource.name}: refuses to be destroyed"
        for resource in graph.of(w.WORKFLOW)
        if resource.inputs.get("deletionProtection") is not False
    ]


def schedules_are_tried_again_within_bounds(graph: Graph) -> list[str]:
    def bounded(job: Resource) -> bool:
        retry = job.inputs.get("retryConfig", {})
        return 1 <= retry.get("retryCount", 0) <= 5 and bool(job.inputs.get("attemptDeadline"))

    return [f"{job.name}: is not told how often to try" for job in graph.of(w.JOB) if not bounded(job)]


RULES = (
    functions_have_bounds,
    functions_cannot_flood,
    instances_that_are_shared_can_be,
    no_more_instances_wait_than_may_run,
    the_api_waits_longer_than_its_functions,
    functions_share_one_supported_runtime,
    code_is_named_by_its_digest,
    environments_are_small_and_hold_no_secret,
    training_computes_the_same_on_every_processor,
    consumers_are_closed_to_the_internet,
    logs_are_forgotten,
    routes_are_authorised_or_say_why_not,
    callers_are_throttled,
    workflows_are_sound,
    first_steps_wait_for_permissions,
    workflows_outwait_their_functions,
    workflows_tell_what_fails_but_not_the_data,
    what_holds_no_data_can_be_destroyed,
    schedules_are_tried_again_within_bounds,
)
