"""What must hold of a budget, and of the function that stops the stack: from the whole graph to what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.aws.stop import CONCURRENCY, MAPPING, READY, SCHEDULE
from tests.graph import ABSENT, Graph, rewritten
from tests.infra.aws import whole as w
from tests.infra.aws.broken import Break, change, drop, no_action, statement

STOP, QUEUE, SPENT = "stop-function", "stop-queue", "budget-spent"
ANOTHER = "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/another"
FORTNIGHT = 14 * 86_400


def the_budget_is_of_this_stack_and_stops_it(graph: Graph) -> list[str]:
    budget, topic, queue = graph.one(w.BUDGET), graph.one(w.TOPIC, SPENT), graph.one(w.QUEUE, QUEUE)
    problems = []
    if budget.inputs.get("costFilters") != [{"name": "TagKeyValue", "values": ["user:stack$test"]}]:
        problems.append(f"{budget.name}: counts what is not of the stack")
    told = [
        one for one in budget.inputs["notifications"] if topic.outputs["arn"] in one.get("subscriberSnsTopicArns", ())
    ]
    if [one["threshold"] for one in told] != [100]:
        problems.append(f"{budget.name}: has the stack stopped at another share than is asked for")
    if silent := [
        one["threshold"] for one in budget.inputs["notifications"] if not one.get("subscriberEmailAddresses")
    ]:
        problems.append(f"{budget.name}: tells no person at {silent}")
    filled = [
        each
        for each in graph.of(w.TOPIC_SUBSCRIPTION)
        if (each.inputs["topic"], each.inputs["protocol"]) == (topic.outputs["arn"], "sqs")
    ]
    if [each.inputs["endpoint"] for each in filled] != [queue.outputs["arn"]]:
        problems.append(f"{topic.name}: does not fill the queue of the function that stops the stack")
    senders = [one for one in w.policy_of(graph, queue) if one["Effect"] == "Allow"]
    if [one["Condition"] for one in senders] != [{"ArnEquals": {"aws:SourceArn": topic.outputs["arn"]}}]:
        problems.append(f"{queue.name}: others than the budget's topic may send")
    return problems


def what_budgets_say_comes_from_budgets(graph: Graph) -> list[str]:
    problems = []
    for topic in (each for each in graph.of(w.TOPIC) if each.name.startswith("budget-")):
        arn = topic.outputs["arn"]
        policies = [json.loads(one.inputs["policy"]) for one in graph.of(w.TOPIC_POLICY) if one.inputs["arn"] == arn]
        allowed = [each for policy in policies for each in policy["Statement"] if each["Effect"] == "Allow"]
        account = arn.split(":")[4]
        expected = {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:aws:budgets::{account}:*"},
        }
        by = [(one["Principal"], one.get("Condition")) for one in allowed]
        if by != [({"Service": "budgets.amazonaws.com"}, expected)]:
            problems.append(f"{topic.name}: others than budgets of the account may send")
        if not any(w.refuses_plain_http(policy["Statement"], "sns:Publish", arn) for policy in policies):
            problems.append(f"{topic.name}: takes messages in plain text")
    return problems


def _named(graph: Graph) -> dict[str, list[str]]:
    return json.loads(graph.one(w.FUNCTION, STOP).inputs["environment"]["variables"]["STOPS"])


def everything_that_works_is_stopped_but_who_stops(graph: Graph) -> list[str]:
    own, named = graph.one(w.FUNCTION, STOP), _named(graph)
    others = [each for each in graph.of(w.FUNCTION) if each.name != STOP]
    works = {
        "function": {each.outputs["name"] for each in others},
        "mapping": {each.outputs["uuid"] for each in graph.of(w.MAPPING) if each.name != "stop-messages"},
        "schedule": {each.outputs["name"] for each in graph.of(w.SCHEDULE)},
    }
    problems = [
        f"{own.name}: leaves the {kind} {name} at work"
        for kind, names in works.items()
        for name in sorted(names - set(named[kind]))
    ]
    itself = {own.outputs["name"], "uuid-of-stop-messages"} & {name for names in named.values() for name in names}
    return problems + [f"{own.name}: stops itself, by {name}" for name in sorted(itself)]


def who_stops_may_do_so_and_nothing_more(graph: Graph) -> list[str]:
    own, named = graph.one(w.FUNCTION, STOP), _named(graph)
    lambdas = own.outputs["arn"].removesuffix(f"function:{own.outputs['name']}")
    functions = {f"{lambdas}function:{name}" for name in named["function"]}
    ready = {f"{lambdas}function:{alias}" for alias in named["ready"]}
    mappings = {f"{lambdas}event-source-mapping:{uuid}" for uuid in named["mapping"]}
    schedules = {lambdas.replace(":lambda:", ":scheduler:") + f"schedule/default/{name}" for name in named["schedule"]}
    scheduling = {each.inputs["target"]["roleArn"] for each in graph.of(w.SCHEDULE)}
    there = {each.outputs["arn"] for each in graph.of(w.SCHEDULE)} | {each.outputs["arn"] for each in graph.of(w.ROLE)}
    wanted = {
        **dict.fromkeys(CONCURRENCY, functions),
        **dict.fromkeys(MAPPING, mappings),
        **dict.fromkeys(READY if ready else (), ready),
        **dict.fromkeys(SCHEDULE, schedules),
        "iam:PassRole": scheduling,
    }
    told = [one for one in w.statements_of(graph, own.inputs["role"]) if one["Effect"] == "Allow"]
    granted = {action: set(one["Resource"]) for one in told for action in w.listed(one["Action"])}
    problems = [
        f"{own.name}: may not {action} all that it is to stop, or may more"
        for action, resources in wanted.items()
        if not resources <= granted.get(action, set()) <= resources | there
    ]
    managing = {action for action in granted if action.partition(":")[0] in ("lambda", "scheduler", "iam")}
    problems += [f"{own.name}: may {action}" for action in sorted(managing - wanted.keys())]
    passing = [one.get("Condition") for one in told if "iam:PassRole" in w.listed(one["Action"])]
    if passing != [{"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}]:
        problems.append(f"{own.name}: hands roles to others than the scheduler")
    return problems


def messages_outlast_a_stop(graph: Graph) -> list[str]:
    return [
        f"{queue.name}: forgets messages within a fortnight"
        for queue in graph.of(w.QUEUE)
        if "redrivePolicy" in queue.inputs and queue.inputs.get("messageRetentionSeconds") != FORTNIGHT
    ]


def _told(edit: Callable[[dict[str, Any]], object]) -> Break:
    """Return a break of the notification that has the stack stopped."""

    def edited(notifications: list[dict[str, Any]]) -> list[dict[str, Any]]:
        edit(notifications[-1])
        return notifications

    return change(w.BUDGET, "budget-month", notifications=edited)


def _stops(edit: Callable[[dict[str, list[str]]], object]) -> Break:
    """Return a break of what the function is told to stop."""

    def edited(environment: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        named = json.loads(environment["variables"]["STOPS"])
        edit(named)
        return {"variables": {**environment["variables"], "STOPS": json.dumps(named)}}

    return change(w.FUNCTION, STOP, environment=edited)


def _may(action: str, **changes: Any) -> Callable[[str], str]:
    """Return a change of the statement that has an action."""

    def edited(document: Any) -> None:
        (found,) = [one for one in document["Statement"] if action in w.listed(one["Action"])]
        found.update(changes)

    return rewritten(edited)


RULES = (
    the_budget_is_of_this_stack_and_stops_it,
    what_budgets_say_comes_from_budgets,
    everything_that_works_is_stopped_but_who_stops,
    who_stops_may_do_so_and_nothing_more,
    messages_outlast_a_stop,
)
BROKEN: Mapping[str, tuple[Break, ...]] = {
    "the_budget_is_of_this_stack_and_stops_it": (
        change(w.BUDGET, "budget-month", costFilters=[{"name": "TagKeyValue", "values": ["user:stack$prod"]}]),
        change(w.BUDGET, "budget-month", costFilters=ABSENT),
        _told(lambda last: last.update(threshold=110)),
        _told(lambda last: last.pop("subscriberSnsTopicArns")),
        _told(lambda last: last.pop("subscriberEmailAddresses")),
        drop(w.TOPIC_SUBSCRIPTION, "budget-demands"),
        change(w.TOPIC_SUBSCRIPTION, "budget-demands", protocol="https"),
        change(
            w.QUEUE_POLICY,
            "stop-queue-policy",
            policy=rewritten(
                lambda policy: policy["Statement"][0]["Condition"].update(ArnEquals={"aws:SourceArn": "*"})
            ),
        ),
    ),
    "what_budgets_say_comes_from_budgets": (
        drop(w.TOPIC_POLICY, "budget-spent-policy"),
        change(w.TOPIC_POLICY, "budget-spent-policy", policy=statement(0, Condition={})),
        change(
            w.TOPIC_POLICY,
            "budget-spent-policy",
            policy=rewritten(lambda policy: policy.update(Statement=policy["Statement"][:1])),
        ),
    ),
    "everything_that_works_is_stopped_but_who_stops": (_stops(lambda named: named["schedule"].pop()),),
    "who_stops_may_do_so_and_nothing_more": (
        change(w.ROLE_POLICY, "stop-policy", policy=no_action("lambda:PutFunctionConcurrency")),
        change(w.ROLE_POLICY, "stop-policy", policy=_may("scheduler:UpdateSchedule", Resource=[ANOTHER])),
        change(w.ROLE_POLICY, "stop-policy", policy=_may("iam:PassRole", Condition={})),
        change(
            w.ROLE_POLICY,
            "stop-policy",
            policy=_may("lambda:PutFunctionConcurrency", Action=[*CONCURRENCY, "lambda:UpdateFunctionCode"]),
        ),
    ),
    "messages_outlast_a_stop": (change(w.QUEUE, "jobs-queue", messageRetentionSeconds=4 * 86_400),),
}
