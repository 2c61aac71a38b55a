"""Who may touch what: every edge of the graph has its permission, and no permission is wider than its edge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.aws.access import CONFUSABLE, UNSCOPABLE
from interface import layout
from tests.graph import Graph, Resource
from tests.graph_aws import ACCOUNT
from tests.infra.aws import whole as w
from tests.infra.aws.rules_compute import invoked

FOLDERS = tuple(value for name, value in vars(layout).items() if name.isupper() and isinstance(value, str))
MODEL = "([*]|[a-z][a-z0-9_]*)"
SINGLE = "|".join(map(re.escape, (layout.LIVE, layout.FORECAST)))
"""The objects of a model that lie in no folder."""
OBJECTS = re.compile(rf"arn:aws:s3:::[^*/]+/({MODEL}/([^*/]+/)*({SINGLE})?|[.][a-z]+/{MODEL}/)[*]")
"""What a grant may name: the objects below a folder of one model, or of every one."""
SERVICES = {
    w.FUNCTION: ("role", "lambda.amazonaws.com"),
    w.MACHINE: ("roleArn", "states.amazonaws.com"),
    w.TARGET: ("roleArn", "events.amazonaws.com"),
}
TRACE = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
SAMPLE = ("xray:GetSamplingRules", "xray:GetSamplingTargets")
REFUSALS = ("Lambda.AWSLambdaException", "Lambda.AccessDeniedException")
"""What a call that is not allowed ends with: https://github.com/awslabs/aws-deployment-framework/issues/460, and the
name of Lambda's own error."""
CONSUME = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
NAMED_BY_US = frozenset({w.ALIAS, w.STAGE})
"""Their names live inside another resource; an event rule may be named after the queue that it feeds, too."""


def functions_have_a_role_of_their_own(graph: Graph) -> list[str]:
    roles = [role for role, _, _ in _assumed_roles(graph)]
    return [f"{role}: is shared" for role in sorted(set(roles)) if roles.count(role) > 1]


def _assumed_roles(graph: Graph) -> list[tuple[str, str, Resource]]:
    """Return every role that a service assumes: its ARN, the service, and the resource that names it."""
    pairs = [
        (resource.inputs[key], service, resource)
        for type_, (key, service) in SERVICES.items()
        for resource in graph.of(type_)
        if key in resource.inputs
    ]
    schedules = graph.of(w.SCHEDULE)
    return pairs + [
        (resource.inputs["target"]["roleArn"], "scheduler.amazonaws.com", resource) for resource in schedules
    ]


def roles_trust_their_service_alone(graph: Graph) -> list[str]:
    problems = []
    for arn, service, resource in _assumed_roles(graph):
        role = w.by_output(graph, w.ROLE, "arn", arn)
        expected = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        if service in CONFUSABLE:
            expected["Condition"] = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
        if role is None or role.document("assumeRolePolicy")["Statement"] != [expected]:
            problems.append(f"{resource.name}: its role trusts others than {service} of this account")
    return problems


def nothing_is_allowed_on_everything(graph: Graph) -> list[str]:
    problems = []
    for resource, statement in w.every_statement(graph):
        actions, resources = w.listed(statement["Action"]), w.listed(statement["Resource"])
        if statement["Effect"] != "Allow":
            continue
        problems += [f"{resource.name}: allows {action}" for action in actions if "*" in action]
        if any(not _named(arn) for arn in resources) and not set(actions) <= UNSCOPABLE.keys():
            problems.append(f"{resource.name}: allows {', '.join(actions)} on {', '.join(resources)}")
        if statement.get("Principal") in ("*", {"AWS": "*"}):
            problems.append(f"{resource.name}: allows everybody")
    return problems


def _named(resource: str) -> bool:
    """Return whether an ARN names its resource: wildcards only below the name, and in place of a model's name."""
    if resource.startswith("arn:aws:s3:::") and "/" in resource:
        return bool(OBJECTS.fullmatch(resource))
    return bool(re.fullmatch(r"arn:aws:[a-z0-9]+:[^*:]*:[^*:]*:[^*]*[^*/:][/:]?[*]?", resource))


def no_foreign_policies_are_attached(graph: Graph) -> list[str]:
    attached = [resource for resource in graph if "PolicyAttachment" in resource.type]
    managed = [role for role in graph.of(w.ROLE) if role.inputs.get("managedPolicyArns")]
    return [f"{resource.name}: takes rules from elsewhere" for resource in [*attached, *managed]]


def the_api_may_call_what_its_routes_name(graph: Graph) -> list[str]:
    problems = []
    for integration in graph.of(w.INTEGRATION):
        api = w.by_output(graph, w.API, "id", integration.inputs["apiId"])
        source = f"{api.outputs['executionArn']}/*/*" if api else None
        allowed = {
            f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{p.inputs['function']}:{p.inputs.get('qualifier')}"
            for p in graph.of(w.PERMISSION)
            if (p.inputs["principal"], p.inputs["action"]) == ("apigateway.amazonaws.com", "lambda:InvokeFunction")
            and p.inputs.get("sourceArn") == source
        }
        if integration.inputs["integrationUri"] not in allowed:
            problems.append(f"{integration.name}: may not call its function")
    return problems


def functions_are_called_by_known_sources_alone(graph: Graph) -> list[str]:
    return [
        f"{p.name}: anyone of {p.inputs['principal']}" for p in graph.of(w.PERMISSION) if "sourceArn" not in p.inputs
    ]


def consumers_may_read_their_queue(graph: Graph) -> list[str]:
    problems = []
    for mapping in graph.of(w.MAPPING):
        queue = mapping.inputs["eventSourceArn"]
        for function in graph.of(w.FUNCTION):
            if not mapping.inputs["functionName"].startswith(function.outputs["arn"]):
                continue
            statements = w.statements_of(graph, function.inputs["role"])
            problems += [
                f"{function.name}: lacks {action}" for action in CONSUME if not w.allows(statements, action, queue)
            ]
    return problems


def functions_may_write_their_log(graph: Graph) -> list[str]:
    problems = []
    for function in graph.of(w.FUNCTION):
        group = w.by_output(graph, w.LOG_GROUP, "name", function.inputs.get("loggingConfig", {}).get("logGroup"))
        statements = w.statements_of(graph, function.inputs["role"])
        stream = f"{group.outputs['arn']}:log-stream:any" if group else ""
        if group and not w.allows(statements, "logs:PutLogEvents", stream):
            problems.append(f"{function.name}: may not write its log")
    return problems


def what_is_traced_may_write_its_traces(graph: Graph) -> list[str]:
    """Step Functions asks X-Ray which executions to sample: https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html."""
    traced: list[tuple[Resource, str, tuple[str, ...]]]
    traced = [
        (f, f.inputs["role"], TRACE)
        for f in graph.of(w.FUNCTION)
        if (f.inputs.get("tracingConfig") or {}).get("mode") == "Active"
    ]
    traced += [
        (m, m.inputs["roleArn"], (*TRACE, *SAMPLE))
        for m in graph.of(w.MACHINE)
        if (m.inputs.get("tracingConfiguration") or {}).get("enabled")
    ]
    return [
        f"{resource.name}: lacks {action}"
        for resource, role, actions in traced
        for action in actions
        if not w.allows(w.statements_of(graph, role), action, "any")
    ]


def whoever_uploads_may_end_an_upload(graph: Graph) -> list[str]:
    """One that fails half-way is paid for until it is aborted:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions."""
    return [
        f"{resource.name}: may not abort what it uploads"
        for resource in graph.of(w.ROLE_POLICY)
        for statement in resource.document("policy")["Statement"]
        if "s3:PutObject" in w.listed(statement["Action"])
        and "s3:AbortMultipartUpload" not in w.listed(statement["Action"])
    ]


def first_steps_wait_for_permissions(graph: Graph) -> list[str]:
    """IAM takes minutes to spread (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html): a call that
    may come before the first pause is made again after a refusal, whatever it is called.
    """
    return [
        f"{machine.name}: {name} fails while its permission spreads"
        for machine in graph.of(w.MACHINE)
        for name, task in _first_tasks(machine.document("definition"))
        if not any(set(REFUSALS) <= set(retrier["ErrorEquals"]) and _minutes(retrier) for retrier in task["Retry"])
    ]


def _first_tasks(machine: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each task that can be reached without a pause and without a failure."""
    states, waiting, reached = machine["States"], [machine["StartAt"]], set()
    while waiting:
        name = waiting.pop()
        state = states.get(name, {"Type": "none: `machines_are_sound`"})
        if name in reached or state["Type"] == "Wait":
            continue
        reached.add(name)
        waiting += [branch["Next"] for branch in state.get("Choices", [])]
        waiting += [state["Next"]] if "Next" in state else []
        if state["Type"] == "Task":
            yield name, state
        yield from _first_tasks(state["ItemProcessor"]) if "ItemProcessor" in state else ()


def _minutes(retrier: Mapping[str, Any]) -> bool:
    """Return whether its pauses add up to four minutes, half of the longest that a full jitter allows."""
    pauses = [retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n for n in range(retrier["MaxAttempts"])]
    return sum(min(pause, retrier["MaxDelaySeconds"]) for pause in pauses) / 2 >= 240


def workflows_may_call_their_functions_and_no_others(graph: Graph) -> list[str]:
    problems = []
    for machine in graph.of(w.MACHINE):
        statements = w.statements_of(graph, machine.inputs["roleArn"])
        allowed = {r for s in statements if "lambda:InvokeFunction" in s["Action"] for r in w.listed(s["Resource"])}
        if allowed != invoked(machine):
            problems.append(f"{machine.name}: may call {len(allowed)} functions, calls {len(invoked(machine))}")
    return problems


def nothing_that_an_arrival_starts_writes_where_it_waits(graph: Graph) -> list[str]:
    """So no loop can begin. A job that goes on is announced anew, once for each part that it has done: it ends."""
    keys = [f"{layout.below(model, folder)}x" for model in (*w.settings().models, "elsewhere") for folder in FOLDERS]
    waits = {
        (bucket, key)
        for rule in graph.of(w.RULE)
        for detail in [rule.document("eventPattern")["detail"]]
        for bucket in detail["bucket"]["name"]
        for key in keys
        if w.matches(detail, key)
    }
    named = {mapping.inputs["functionName"] for mapping in graph.of(w.MAPPING)}
    named |= {function for machine in graph.of(w.MACHINE) for function in invoked(machine)}
    started = [f for f in graph.of(w.FUNCTION) if any(name.startswith(f"{f.outputs['arn']}:") for name in named)]
    return [
        f"{function.name}: writes {bucket}/{key}"
        for function in started
        for statements in [w.statements_of(graph, function.inputs["role"])]
        for bucket, key in sorted(waits)
        if w.allows(statements, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
        and not (function.name == "jobs-function" and layout.JOB_CONTINUATIONS in key)
    ]


def announced_objects_reach_their_rule(graph: Graph) -> list[str]:
    problems = []
    announcing = {m.inputs["bucket"] for m in graph.of(w.NOTIFICATION) if m.inputs.get("eventbridge") is True}
    for rule in graph.of(w.RULE):
        detail = rule.document("eventPattern")["detail"]
        if not set(detail["bucket"]["name"]) <= announcing:
            problems.append(f"{rule.name}: its bucket announces nothing")
        if not any(target.inputs["rule"] == rule.outputs["name"] for target in graph.of(w.TARGET)):
            problems.append(f"{rule.name}: hands nothing on")
    return problems


def targets_may_be_reached(graph: Graph) -> list[str]:
    problems = []
    for target in graph.of(w.TARGET):
        rule = w.by_output(graph, w.RULE, "name", target.inputs["rule"])
        queue = w.by_output(graph, w.QUEUE, "arn", target.inputs["arn"])
        assert rule is not None, f"{target.name} belongs to no rule"
        if queue is None:
            statements = w.statements_of(graph, target.inputs.get("roleArn"))
            reached = w.allows(statements, "states:StartExecution", target.inputs["arn"])
        else:
            reached = w.sender(w.policy_of(graph, queue), queue.outputs["arn"], rule.outputs["arn"])
        if not reached:
            problems.append(f"{target.name}: may not be reached")
    for schedule in graph.of(w.SCHEDULE):
        target = schedule.inputs["target"]
        function = w.by_output(graph, w.ALIAS, "arn", target["arn"])
        action = "states:StartExecution" if function is None else "lambda:InvokeFunction"
        if not w.allows(w.statements_of(graph, target["roleArn"]), action, target["arn"]):
            problems.append(f"{schedule.name}: may not reach its target")
    return problems


def what_cannot_be_handed_on_is_kept(graph: Graph) -> list[str]:
    problems = []
    for target in graph.of(w.TARGET):
        dead_letters = w.by_output(graph, w.QUEUE, "arn", target.inputs.get("deadLetterConfig", {}).get("arn"))
        rule = w.by_output(graph, w.RULE, "name", target.inputs["rule"])
        assert rule is not None, f"{target.name} belongs to no rule"
        if dead_letters is None or not w.sender(
            w.policy_of(graph, dead_letters), dead_letters.outputs["arn"], rule.outputs["arn"]
        ):
            problems.append(f"{target.name}: loses what it cannot deliver")
    for schedule in graph.of(w.SCHEDULE):
        goal = schedule.inputs["target"]
        dead_letters = w.by_output(graph, w.QUEUE, "arn", goal.get("deadLetterConfig", {}).get("arn"))
        statements = w.statements_of(graph, goal["roleArn"])
        if dead_letters is None or not w.allows(statements, "sqs:SendMessage", dead_letters.outputs["arn"]):
            problems.append(f"{schedule.name}: loses what it cannot deliver")
    return problems


def deliveries_are_tried_again_for_a_while(graph: Graph) -> list[str]:
    policies = {target.name: target.inputs.get("retryPolicy", {}) for target in graph.of(w.TARGET)}
    policies |= {schedule.name: schedule.inputs["target"].get("retryPolicy", {}) for schedule in graph.of(w.SCHEDULE)}
    return [
        f"{name}: is not told how often and how long to try"
        for name, policy in policies.items()
        if not policy.get("maximumRetryAttempts") or not policy.get("maximumEventAgeInSeconds")
    ]


def texts_hold_no_unresolved_output(graph: Graph) -> list[str]:
    return [resource.name for resource in graph if "Calling __str__ on an Output" in repr(resource.inputs)]


def physical_names_are_left_to_pulumi(graph: Graph) -> list[str]:
    """A name of ours would keep a second stack out of the account."""
    queues = {f"{queue.outputs['name']}-arrivals" for queue in graph.of(w.QUEUE)}
    return [
        f"{resource.name}: is called {resource.inputs[key]}"
        for resource in graph
        for key in ("name", "bucket", "functionName")
        if not resource.component
        and resource.type not in NAMED_BY_US
        and isinstance(resource.inputs.get(key), str)
        and resource.inputs[key] not in queues
        and not re.search(r"-1a2b3c4\b", resource.inputs[key])
    ]


RULES = (
    functions_have_a_role_of_their_own,
    roles_trust_their_service_alone,
    nothing_is_allowed_on_everything,
    no_foreign_policies_are_attached,
    the_api_may_call_what_its_routes_name,
    functions_are_called_by_known_sources_alone,
    consumers_may_read_their_queue,
    functions_may_write_their_log,
    what_is_traced_may_write_its_traces,
    whoever_uploads_may_end_an_upload,
    first_steps_wait_for_permissions,
    workflows_may_call_their_functions_and_no_others,
    nothing_that_an_arrival_starts_writes_where_it_waits,
    announced_objects_reach_their_rule,
    targets_may_be_reached,
    what_cannot_be_handed_on_is_kept,
    deliveries_are_tried_again_for_a_while,
    texts_hold_no_unresolved_output,
    physical_names_are_left_to_pulumi,
)
