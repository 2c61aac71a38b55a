"""Who may touch what: every edge of the graph has its permission, and no permission is wider than its edge."""

from __future__ import annotations

import re

from infra.aws.access import CONFUSABLE, UNSCOPABLE
from tests.graph import Graph, Made
from tests.graph_aws import ACCOUNT
from tests.infra.aws import whole as w
from tests.infra.aws.rules_compute import invoked

SERVICES = {
    w.FUNCTION: ("role", "lambda.amazonaws.com"),
    w.MACHINE: ("roleArn", "states.amazonaws.com"),
    w.TARGET: ("roleArn", "events.amazonaws.com"),
}
CONSUME = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
NAMED_BY_US = frozenset({w.ALIAS, w.STAGE})
"""Whose names live inside another resource; and a rule may be named after the queue that it feeds."""


def functions_have_a_role_of_their_own(graph: Graph) -> list[str]:
    taken = [role for role, _, _ in _taken(graph)]
    return [f"{role}: is shared" for role in sorted(set(taken)) if taken.count(role) > 1]


def _taken(graph: Graph) -> list[tuple[str, str, Made]]:
    """Every role that is handed to a service: the role, the service, and for what."""
    found = [
        (made.inputs[key], service, made)
        for type_, (key, service) in SERVICES.items()
        for made in graph.of(type_)
        if key in made.inputs
    ]
    schedules = graph.of(w.SCHEDULE)
    return found + [(made.inputs["target"]["roleArn"], "scheduler.amazonaws.com", made) for made in schedules]


def roles_trust_their_service_alone(graph: Graph) -> list[str]:
    found = []
    for arn, service, made in _taken(graph):
        role = w.by_output(graph, w.ROLE, "arn", arn)
        wanted = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        if service in CONFUSABLE:
            wanted["Condition"] = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
        if role is None or role.document("assumeRolePolicy")["Statement"] != [wanted]:
            found.append(f"{made.name}: its role trusts others than {service} of this account")
    return found


def nothing_is_allowed_on_everything(graph: Graph) -> list[str]:
    found = []
    for made, statement in w.every_statement(graph):
        actions, resources = w.listed(statement["Action"]), w.listed(statement["Resource"])
        if statement["Effect"] != "Allow":
            continue
        found += [f"{made.name}: allows {action}" for action in actions if "*" in action]
        if any(not _named(resource) for resource in resources) and not set(actions) <= UNSCOPABLE.keys():
            found.append(f"{made.name}: allows {', '.join(actions)} on {', '.join(resources)}")
        if statement.get("Principal") in ("*", {"AWS": "*"}):
            found.append(f"{made.name}: allows everybody")
    return found


def _named(resource: str) -> bool:
    """An ARN that names its resource: wildcards only below the name."""
    return bool(re.fullmatch(r"arn:aws:[a-z0-9]+:[^*:]*:[^*:]*:[^*]*[^*/:][/:]?[*]?", resource))


def no_foreign_policies_are_attached(graph: Graph) -> list[str]:
    attached = [made for made in graph if "PolicyAttachment" in made.type]
    managed = [role for role in graph.of(w.ROLE) if role.inputs.get("managedPolicyArns")]
    return [f"{made.name}: takes rules from elsewhere" for made in [*attached, *managed]]


def the_api_may_call_what_its_routes_name(graph: Graph) -> list[str]:
    found = []
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
            found.append(f"{integration.name}: may not call its function")
    return found


def functions_are_called_by_known_sources_alone(graph: Graph) -> list[str]:
    return [
        f"{p.name}: anyone of {p.inputs['principal']}" for p in graph.of(w.PERMISSION) if "sourceArn" not in p.inputs
    ]


def consumers_may_read_their_queue(graph: Graph) -> list[str]:
    found = []
    for mapping in graph.of(w.MAPPING):
        queue = mapping.inputs["eventSourceArn"]
        for function in graph.of(w.FUNCTION):
            if not mapping.inputs["functionName"].startswith(function.outputs["arn"]):
                continue
            said = w.statements_of(graph, function.inputs["role"])
            found += [f"{function.name}: lacks {action}" for action in CONSUME if not w.allows(said, action, queue)]
    return found


def functions_may_write_their_log(graph: Graph) -> list[str]:
    found = []
    for function in graph.of(w.FUNCTION):
        group = w.by_output(graph, w.LOG_GROUP, "name", function.inputs.get("loggingConfig", {}).get("logGroup"))
        said = w.statements_of(graph, function.inputs["role"])
        stream = f"{group.outputs['arn']}:log-stream:any" if group else ""
        if group and not w.allows(said, "logs:PutLogEvents", stream):
            found.append(f"{function.name}: may not write its log")
    return found


def workflows_may_call_their_functions_and_no_others(graph: Graph) -> list[str]:
    found = []
    for machine in graph.of(w.MACHINE):
        said = w.statements_of(graph, machine.inputs["roleArn"])
        allowed = {r for s in said if "lambda:InvokeFunction" in s["Action"] for r in w.listed(s["Resource"])}
        if allowed != invoked(machine):
            found.append(f"{machine.name}: may call {len(allowed)} functions, calls {len(invoked(machine))}")
    return found


def announced_objects_reach_their_rule(graph: Graph) -> list[str]:
    found = []
    announcing = {m.inputs["bucket"] for m in graph.of(w.NOTIFICATION) if m.inputs.get("eventbridge") is True}
    for rule in graph.of(w.RULE):
        detail = rule.document("eventPattern")["detail"]
        if not set(detail["bucket"]["name"]) <= announcing:
            found.append(f"{rule.name}: its bucket announces nothing")
        if not any(target.inputs["rule"] == rule.outputs["name"] for target in graph.of(w.TARGET)):
            found.append(f"{rule.name}: hands nothing on")
    return found


def targets_may_be_reached(graph: Graph) -> list[str]:
    found = []
    for target in graph.of(w.TARGET):
        rule = w.by_output(graph, w.RULE, "name", target.inputs["rule"])
        queue = w.by_output(graph, w.QUEUE, "arn", target.inputs["arn"])
        assert rule is not None, f"{target.name} belongs to no rule"
        if queue is None:
            said = w.statements_of(graph, target.inputs.get("roleArn"))
            reached = w.allows(said, "states:StartExecution", target.inputs["arn"])
        else:
            reached = w.sender(w.policy_of(graph, queue), queue.outputs["arn"], rule.outputs["arn"])
        if not reached:
            found.append(f"{target.name}: may not be reached")
    for schedule in graph.of(w.SCHEDULE):
        said = w.statements_of(graph, schedule.inputs["target"]["roleArn"])
        if not w.allows(said, "states:StartExecution", schedule.inputs["target"]["arn"]):
            found.append(f"{schedule.name}: may not start its workflow")
    return found


def what_cannot_be_handed_on_is_kept(graph: Graph) -> list[str]:
    found = []
    for target in graph.of(w.TARGET):
        dead = w.by_output(graph, w.QUEUE, "arn", target.inputs.get("deadLetterConfig", {}).get("arn"))
        rule = w.by_output(graph, w.RULE, "name", target.inputs["rule"])
        assert rule is not None, f"{target.name} belongs to no rule"
        if dead is None or not w.sender(w.policy_of(graph, dead), dead.outputs["arn"], rule.outputs["arn"]):
            found.append(f"{target.name}: loses what it cannot hand on")
    for schedule in graph.of(w.SCHEDULE):
        goal = schedule.inputs["target"]
        dead = w.by_output(graph, w.QUEUE, "arn", goal.get("deadLetterConfig", {}).get("arn"))
        said = w.statements_of(graph, goal["roleArn"])
        if dead is None or not w.allows(said, "sqs:SendMessage", dead.outputs["arn"]):
            found.append(f"{schedule.name}: loses what it cannot hand on")
    return found


def deliveries_are_tried_again_for_a_while(graph: Graph) -> list[str]:
    policies = {target.name: target.inputs.get("retryPolicy", {}) for target in graph.of(w.TARGET)}
    policies |= {schedule.name: schedule.inputs["target"].get("retryPolicy", {}) for schedule in graph.of(w.SCHEDULE)}
    return [
        f"{name}: is not told how often and how long to try"
        for name, policy in policies.items()
        if not policy.get("maximumRetryAttempts") or not policy.get("maximumEventAgeInSeconds")
    ]


def texts_hold_no_unresolved_output(graph: Graph) -> list[str]:
    return [made.name for made in graph if "Calling __str__ on an Output" in repr(made.inputs)]


def physical_names_are_left_to_pulumi(graph: Graph) -> list[str]:
    """A name of ours would keep a second stack out of the account."""
    queues = {f"{queue.outputs['name']}-arrivals" for queue in graph.of(w.QUEUE)}
    return [
        f"{made.name}: is called {made.inputs[key]}"
        for made in graph
        for key in ("name", "bucket", "functionName")
        if not made.component
        and made.type not in NAMED_BY_US
        and isinstance(made.inputs.get(key), str)
        and made.inputs[key] not in queues
        and not re.search(r"-1a2b3c4\b", made.inputs[key])
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
    workflows_may_call_their_functions_and_no_others,
    announced_objects_reach_their_rule,
    targets_may_be_reached,
    what_cannot_be_handed_on_is_kept,
    deliveries_are_tried_again_for_a_while,
    texts_hold_no_unresolved_output,
    physical_names_are_left_to_pulumi,
)
