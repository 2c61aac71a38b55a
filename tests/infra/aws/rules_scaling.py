"""What must hold of snapshots and of copies that are kept ready: from the whole graph to what is wrong."""

from __future__ import annotations

from tests.graph import Graph, Resource
from tests.infra.aws import whole as w

PROVISIONED = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
TARGET = "aws:appautoscaling/target:Target"
POLICY = "aws:appautoscaling/policy:Policy"
ACTION = "aws:appautoscaling/scheduledAction:ScheduledAction"
DIMENSION = {"serviceNamespace": "lambda", "scalableDimension": "lambda:function:ProvisionedConcurrency"}
SNAPSHOT_RUNTIMES = frozenset({"python3.12", "python3.13"})
"""https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html: "Python 3.12 and later"."""


def snapshots_are_taken_of_what_can_have_them(graph: Graph) -> list[str]:
    """The same page: no provisioned concurrency, no EFS, at most 512 MB of /tmp, published versions alone."""
    problems = []
    for function in graph.of(w.FUNCTION):
        inputs = function.inputs
        if "snapStart" not in inputs:
            continue
        if inputs["snapStart"] != {"applyOn": "PublishedVersions"} or inputs.get("publish") is not True:
            problems.append(f"{function.name}: no version of it becomes a snapshot")
        if inputs["runtime"] not in SNAPSHOT_RUNTIMES or inputs.get("packageType", "Zip") != "Zip":
            problems.append(f"{function.name}: {inputs['runtime']} has no snapshots")
        if inputs.get("fileSystemConfig") or inputs.get("ephemeralStorage", {"size": 512})["size"] > 512:
            problems.append(f"{function.name}: its files do not fit into a snapshot")
        if any(resource.inputs["functionName"] == function.outputs["name"] for resource in graph.of(PROVISIONED)):
            problems.append(f"{function.name}: a snapshot and provisioned copies exclude each other")
    return problems


def aliases_have_no_weights(graph: Graph) -> list[str]:
    """Weights and provisioned copies fight: https://github.com/hashicorp/terraform/issues/24957."""
    return [f"{alias.name}: has weights" for alias in graph.of(w.ALIAS) if alias.inputs.get("routingConfig")]


def ready_copies_stand_behind_an_alias(graph: Graph) -> list[str]:
    aliases = {(alias.inputs["functionName"], alias.inputs["name"]): alias for alias in graph.of(w.ALIAS)}
    problems = []
    for resource in graph.of(PROVISIONED):
        alias = aliases.get((resource.inputs["functionName"], resource.inputs["qualifier"]))
        if alias is None or alias.urn not in resource.dependencies:
            problems.append(f"{resource.name}: stands behind no alias")
    return problems


def no_more_copies_are_ready_than_may_run(graph: Graph) -> list[str]:
    reserved = {f.outputs["name"]: f.inputs.get("reservedConcurrentExecutions", 1000) for f in graph.of(w.FUNCTION)}
    copies_of = {
        m.name: (m.inputs["functionName"], m.inputs["provisionedConcurrentExecutions"]) for m in graph.of(PROVISIONED)
    }
    copies_of |= {t.name: (_function(t), t.inputs["maxCapacity"]) for t in graph.of(TARGET)}
    copies_of |= {a.name: (_function(a), a.inputs["scalableTargetAction"]["maxCapacity"]) for a in graph.of(ACTION)}
    return [f"{name}: {copies} copies" for name, (function, copies) in copies_of.items() if copies > reserved[function]]


def the_autoscaler_alone_changes_what_is_ready(graph: Graph) -> list[str]:
    """A deployment that set the number again would fail while an alias moves, and undo what use had asked for."""
    return [
        f"{resource.name}: is set again by every deployment"
        for resource in graph.of(PROVISIONED)
        if "provisionedConcurrentExecutions" not in resource.ignored
    ]


def ready_copies_follow_use(graph: Graph) -> list[str]:
    problems = []
    for resource in graph.of(PROVISIONED):
        resource_id = f"function:{resource.inputs['functionName']}:{resource.inputs['qualifier']}"
        targets = [t for t in graph.of(TARGET) if _scales(t, resource_id)]
        policies = [p for p in graph.of(POLICY) if _scales(p, resource_id)]
        if len(targets) != 1 or not all(_tracks_use(policy) for policy in policies) or len(policies) != 1:
            problems.append(f"{resource.name}: does not follow use")
            continue
        (target,) = targets
        if not 1 <= target.inputs["minCapacity"] <= target.inputs["maxCapacity"]:
            problems.append(f"{target.name}: from {target.inputs['minCapacity']} to {target.inputs['maxCapacity']}")
        if resource.urn not in target.dependencies or target.urn not in policies[0].dependencies:
            problems.append(f"{target.name}: may be made before what it scales")
    return problems


def hours_end_where_they_began(graph: Graph) -> list[str]:
    """For each schedule that raises the minimum there is one that brings back the target's own."""
    problems = []
    for target in graph.of(TARGET):
        actions = [a for a in graph.of(ACTION) if _scales(a, target.inputs["resourceId"])]
        own = [a for a in actions if _range(a) == (target.inputs["minCapacity"], target.inputs["maxCapacity"])]
        if 2 * len(own) != len(actions):
            problems.append(f"{target.name}: {len(own)} of {len(actions)} schedules bring it back")
        problems += [f"{a.name}: is not in UTC" for a in actions if a.inputs.get("timezone") != "UTC"]
    return problems


def _function(resource: Resource) -> str:
    return resource.inputs["resourceId"].split(":")[1]


def _scales(resource: Resource, resource_id: str) -> bool:
    return resource.inputs.get("resourceId") == resource_id and DIMENSION.items() <= resource.inputs.items()


def _tracks_use(policy: Resource) -> bool:
    config = policy.inputs.get("targetTrackingScalingPolicyConfiguration", {})
    metric = config.get("predefinedMetricSpecification", {}).get("predefinedMetricType")
    return (
        policy.inputs.get("policyType") == "TargetTrackingScaling"
        and metric == "LambdaProvisionedConcurrencyUtilization"
        and 0.1 <= config.get("targetValue", 0) <= 0.9
        and not config.get("disableScaleIn")
    )


def _range(action: Resource) -> tuple[int, int]:
    capacity = action.inputs["scalableTargetAction"]
    return capacity["minCapacity"], capacity["maxCapacity"]


RULES = (
    snapshots_are_taken_of_what_can_have_them,
    aliases_have_no_weights,
    ready_copies_stand_behind_an_alias,
    no_more_copies_are_ready_than_may_run,
    the_autoscaler_alone_changes_what_is_ready,
    ready_copies_follow_use,
    hours_end_where_they_began,
)
