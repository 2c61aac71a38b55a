"""What must hold of every function, of the API and of the workflow: from the whole graph to what is wrong."""

from __future__ import annotations

import json
import re

from tests.graph import Graph, Resource
from tests.infra.aws import whole as w
from tests.infra.aws_facts import tasks

SUPPORTED = frozenset({"python3.11", "python3.12", "python3.13"})
SECRET = re.compile(r"secret|password|passwd|token|api_?key|private_?key|credential", re.IGNORECASE)
PRIVATE = re.compile(r"identity|authorizer|sourceIp|userAgent|body|header|\$context\.path|domain", re.IGNORECASE)
"""What an access log must not hold of a caller."""
ENVIRONMENT_BYTES = 4096
NOT_WAITING = frozenset({"events.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com"})
"""Services that call a function and do not wait for its answer."""
KERNELS = {"x86_64": "Haswell", "arm64": "ARMV8"}
"""OpenBLAS's kernel that every processor of an architecture can run."""
VECTORS = {"x86_64": "X86_V4 AVX512_ICL AVX512_SPR", "arm64": "ASIMDHP ASIMDDP ASIMDFHM SVE"}
"""What numpy leaves alone, since not every processor of an architecture has it."""


def functions_have_bounds(graph: Graph) -> list[str]:
    return [
        f"{function.name}: timeout {function.inputs.get('timeout')} s, memory {function.inputs.get('memorySize')} MB"
        for function in graph.of(w.FUNCTION)
        if not (
            3 < function.inputs.get("timeout", 3) <= 900
            and "memorySize" in function.inputs
            and 128 <= function.inputs["memorySize"] <= 10_240
        )
    ]


def functions_cannot_flood(graph: Graph) -> list[str]:
    """Copies are reserved, or every caller has a bound: an API's throttling, a queue's mapping, a workflow's steps.

    Whoever calls and does not wait for the answer has none: Lambda queues these calls and starts copies for them
    (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html). The bounds themselves are the rules
    `stages_are_throttled`, `consumers_are_bounded` and `machines_are_sound`.
    """
    problems = []
    for function in graph.of(w.FUNCTION):
        reserved = function.inputs.get("reservedConcurrentExecutions")
        callers = {p.inputs["principal"] for p in graph.of(w.PERMISSION) if _of(p, function)}
        if reserved is not None and reserved < 1:
            problems.append(f"{function.name}: may run no copy")
        if reserved is None and callers & NOT_WAITING:
            problems.append(f"{function.name}: nothing bounds the calls of {', '.join(sorted(callers & NOT_WAITING))}")
    return problems


def _of(permission: Resource, function: Resource) -> bool:
    return permission.inputs["function"] in (function.outputs["name"], function.outputs["arn"])


def the_api_waits_longer_than_its_functions(graph: Graph) -> list[str]:
    problems = []
    for integration in graph.of(w.INTEGRATION):
        seconds = integration.inputs.get("timeoutMilliseconds", 30_000) / 1000
        for function in graph.of(w.FUNCTION):
            if integration.inputs["integrationUri"].startswith(f"{function.outputs['arn']}:") and not (
                function.inputs.get("timeout", 3) < seconds <= 30
            ):
                problems.append(f"{integration.name}: waits {seconds:g} s for {function.name}")
    return problems


def functions_share_one_supported_runtime(graph: Graph) -> list[str]:
    runtimes = {function.inputs.get("runtime") for function in graph.of(w.FUNCTION)}
    return [] if len(runtimes) == 1 and runtimes <= SUPPORTED else [f"runtimes: {runtimes}"]


def code_is_named_by_its_digest(graph: Graph) -> list[str]:
    problems = []
    for function in graph.of(w.FUNCTION):
        key = (function.inputs.get("s3Bucket"), function.inputs.get("s3Key"))
        uploaded = [
            resource for resource in graph.of(w.OBJECT) if (resource.inputs["bucket"], resource.inputs["key"]) == key
        ]
        if len(uploaded) != 1:
            problems.append(f"{function.name}: its code is not uploaded")
        elif not re.fullmatch(r"[a-z0-9-]+/[0-9a-f]{64}\.zip", uploaded[0].inputs["key"]):
            problems.append(f"{function.name}: {uploaded[0].inputs['key']} holds no digest")
        if not function.inputs.get("sourceCodeHash"):
            problems.append(f"{function.name}: a change of its code goes unnoticed")
    return problems


def functions_are_traced_as_their_workflow_is(graph: Graph) -> list[str]:
    """Half a trace is paid for and says nothing."""
    asked = any((one.inputs.get("tracingConfiguration") or {}).get("enabled") for one in graph.of(w.MACHINE))
    return [
        f"{function.name}: its tracing is not {mode}"
        for function in graph.of(w.FUNCTION)
        if (mode := "Active" if asked else "PassThrough") != (function.inputs.get("tracingConfig") or {}).get("mode")
    ]


def functions_look_into_their_archive_first(graph: Graph) -> list[str]:
    """What is there for the interpreter begins to open onnxruntime; Lambda's own packages can still be imported."""
    problems = []
    for function in graph.of(w.FUNCTION):
        searched = w.variables(function).get("PYTHONPATH", "")
        if searched.split(":") != ["/var/task", "/var/runtime"]:
            problems.append(f"{function.name}: its interpreter does not look into the archive first")
    return problems


def training_computes_the_same_on_every_processor(graph: Graph) -> list[str]:
    """One kernel for the architecture, and sums that are not split among threads."""
    function = graph.one(w.FUNCTION, "train-function")
    variables, (architecture,) = w.variables(function), function.inputs["architectures"]
    problems = []
    if (
        variables.get("OPENBLAS_CORETYPE") != KERNELS[architecture]
        or variables.get("NPY_DISABLE_CPU_FEATURES") != VECTORS[architecture]
    ):
        problems.append(f"{function.name}: its processor chooses how it computes")
    if {variables.get("OPENBLAS_NUM_THREADS"), variables.get("OMP_NUM_THREADS")} != {"1"}:
        problems.append(f"{function.name}: threads share a sum")
    return problems


def functions_log_json_to_a_group_of_their_own(graph: Graph) -> list[str]:
    configs = {f.name: f.inputs.get("loggingConfig", {}) for f in graph.of(w.FUNCTION)}
    groups = [config.get("logGroup") for config in configs.values()]
    return [
        f"{name}: does not log JSON to a group of its own"
        for name, config in configs.items()
        if config.get("logFormat") != "JSON"
        or groups.count(config.get("logGroup")) != 1
        or w.by_output(graph, w.LOG_GROUP, "name", config.get("logGroup")) is None
    ]


def logs_are_forgotten(graph: Graph) -> list[str]:
    return [f"{g.name}: is kept for ever" for g in graph.of(w.LOG_GROUP) if not g.inputs.get("retentionInDays")]


def callers_name_a_published_version(graph: Graph) -> list[str]:
    aliases = {alias.outputs["arn"] for alias in graph.of(w.ALIAS)}
    named = {resource.name: resource.inputs["functionName"] for resource in graph.of(w.MAPPING)}
    named |= {resource.name: resource.inputs["integrationUri"] for resource in graph.of(w.INTEGRATION)}
    named |= {f"{machine.name} {arn}": arn for machine in graph.of(w.MACHINE) for arn in invoked(machine)}
    problems = [f"{name}: names {ref}, not an alias" for name, ref in named.items() if ref not in aliases]
    problems += [f"{p.name}: is not for an alias" for p in graph.of(w.PERMISSION) if not p.inputs.get("qualifier")]
    problems += [f"{f.name}: is not published" for f in graph.of(w.FUNCTION) if f.inputs.get("publish") is not True]
    versions = {alias.name: alias.inputs["functionVersion"] for alias in graph.of(w.ALIAS)}
    return problems + [f"{name}: follows $LATEST" for name, version in versions.items() if version == "$LATEST"]


def loops_are_stopped(graph: Graph) -> list[str]:
    guarded = {m.inputs["functionName"] for m in graph.of(w.RECURSION) if m.inputs["recursiveLoop"] == "Terminate"}
    return [f"{f.name}: may call itself" for f in graph.of(w.FUNCTION) if f.outputs["name"] not in guarded]


def environments_are_small_and_hold_no_secret(graph: Graph) -> list[str]:
    problems = []
    for function in graph.of(w.FUNCTION):
        variables = w.variables(function)
        problems += [f"{function.name}: {name} looks like a secret" for name in variables if SECRET.search(name)]
        if sum(len(name) + len(value) for name, value in variables.items()) > ENVIRONMENT_BYTES:
            problems.append(f"{function.name}: its environment is too large")
    return problems


def routes_are_authorised_or_say_why_not(graph: Graph) -> list[str]:
    reasons = {api.outputs["id"]: api.inputs.get("description", "") for api in graph.of(w.API)}
    return [
        f"{route.name}: is open to everyone"
        for route in graph.of(w.ROUTE)
        if route.inputs.get("authorizationType", "NONE") == "NONE"
        and not reasons[route.inputs["apiId"]].startswith("Open to everyone: ")
    ]


def stages_are_throttled(graph: Graph) -> list[str]:
    def throttled(stage: Resource) -> bool:
        limits = stage.inputs.get("defaultRouteSettings", {})
        return bool(limits.get("throttlingRateLimit")) and bool(limits.get("throttlingBurstLimit"))

    return [f"{stage.name}: is not throttled" for stage in graph.of(w.STAGE) if not throttled(stage)]


def access_is_logged_without_the_caller(graph: Graph) -> list[str]:
    problems = []
    for stage in graph.of(w.STAGE):
        logged = stage.inputs.get("accessLogSettings", {})
        if w.by_output(graph, w.LOG_GROUP, "arn", logged.get("destinationArn")) is None:
            problems.append(f"{stage.name}: access is not logged")
        if private := sorted(v for v in json.loads(logged.get("format", "{}")).values() if PRIVATE.search(v)):
            problems.append(f"{stage.name}: logs {', '.join(private)}")
    return problems


def only_listed_origins_may_call(graph: Graph) -> list[str]:
    origins = {api.name: api.inputs.get("corsConfiguration", {}).get("allowOrigins", []) for api in graph.of(w.API)}
    return [f"{name}: every page may call" for name, allowed in origins.items() if any("*" in o for o in allowed)]


def machines_are_sound(graph: Graph) -> list[str]:
    return [f"{m.name}: {problem}" for m in graph.of(w.MACHINE) for problem in w.faults(m.inputs["definition"])]


def machines_outwait_their_functions(graph: Graph) -> list[str]:
    timeouts = {
        alias.outputs["arn"]: function.inputs.get("timeout", 3)
        for alias in graph.of(w.ALIAS)
        for function in graph.of(w.FUNCTION)
        if alias.inputs["functionName"] == function.outputs["name"]
    }
    return [
        f"{machine.name}: gives {task['Arguments']['FunctionName']} {task['TimeoutSeconds']} s"
        for machine in graph.of(w.MACHINE)
        for task in tasks(machine.document("definition"))
        if task.get("TimeoutSeconds", 0) <= timeouts.get(task["Arguments"]["FunctionName"], 0)
    ]


def machines_tell_what_they_do_but_not_the_data(graph: Graph) -> list[str]:
    problems = []
    for machine in graph.of(w.MACHINE):
        config = machine.inputs.get("loggingConfiguration", {})
        group = w.by_output(graph, w.LOG_GROUP, "arn", config.get("logDestination", "").removesuffix(":*"))
        if config.get("level") != "ALL" or group is None:
            problems.append(f"{machine.name}: is not logged")
        if config.get("includeExecutionData", True):
            problems.append(f"{machine.name}: logs the data")
    return problems


def invoked(machine: Resource) -> set[str]:
    return {task["Arguments"]["FunctionName"] for task in tasks(machine.document("definition"))}


RULES = (
    functions_have_bounds,
    functions_cannot_flood,
    the_api_waits_longer_than_its_functions,
    functions_share_one_supported_runtime,
    code_is_named_by_its_digest,
    functions_are_traced_as_their_workflow_is,
    functions_look_into_their_archive_first,
    functions_log_json_to_a_group_of_their_own,
    logs_are_forgotten,
    callers_name_a_published_version,
    loops_are_stopped,
    environments_are_small_and_hold_no_secret,
    training_computes_the_same_on_every_processor,
    routes_are_authorised_or_say_why_not,
    stages_are_throttled,
    access_is_logged_without_the_caller,
    only_listed_origins_may_call,
    machines_are_sound,
    machines_outwait_their_functions,
    machines_tell_what_they_do_but_not_the_data,
)
