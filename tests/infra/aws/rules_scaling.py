"""What must hold of snapshots and of copies that are kept ready: from the whole graph to what is wrong."""

from __future__ import annotations

from tests.graph import Graph, Made
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
    found = []
    for function in graph.of(w.FUNCTION):
        inputs = function.inputs
        if "snapStart" not in inputs:
            continue
        if inputs["snapStart"] != {"applyOn": "PublishedVersions"} or inputs.get("publish") is not True:
            found.append(f"{function.name}: no version of it becomes a snapshot")
        if inputs["runtime"] not in SNAPSHOT_RUNTIMES or inputs.get("packageType", "Zip") != "Zip":
            found.append(f"{function.name}: {inputs['runtime']} has no snapshots")
        if inputs.get("fileSystemConfig") or inputs.get("ephemeralStorage", {"size": 512})["size"] > 512:
            found.append(f"{function.name}: its files do not fit into a snapshot")
        if any(made.inputs["functionName"] == function.outputs["name"] for made in graph.of(PROVISIONED)):
            found.append(f"{function.name}: a snapshot and provisioned copies exclude each other")
    return found


def aliases_have_no_weights(graph: Graph) -> list[str]:
    """Weights and provisioned copies fight: https://github.com/hashicorp/terraform/issues/24957."""
    return [f"{alias.name}: has weights" for alias in graph.of(w.ALIAS) if alias.inputs.get("routingConfig")]


def ready_copies_stand_behind_an_alias(graph: Graph) -> list[str]:
    aliases = {(alias.inputs["functionName"], alias.inputs["name"]): alias for alias in graph.of(w.ALIAS)}
    found = []
    for made in graph.of(PROVISIONED):
        alias = aliases.get((made.inputs["functionName"], made.inputs["qualifier"]))
        if alias is None or alias.urn not in made.dependencies:
            found.append(f"{made.name}: stands behind no alias")
    return found


def no_more_copies_are_ready_than_may_run(graph: Graph) -> list[str]:
    reserved = {f.outputs["name"]: f.inputs["reservedConcurrentExecutions"] for f in graph.of(w.FUNCTION)}
    asked = {
        m.name: (m.inputs["functionName"], m.inputs["provisionedConcurrentExecutions"]) for m in graph.of(PROVISIONED)
    }
    asked |= {t.name: (_function(t), t.inputs["maxCapacity"]) for t in graph.of(TARGET)}
    asked |= {a.name: (_function(a), a.inputs["scalableTargetAction"]["maxCapacity"]) for a in graph.of(ACTION)}
    return [f"{name}: {copies} copies" for name, (function, copies) in asked.items() if copies > reserved[function]]


def the_autoscaler_alone_changes_what_is_ready(graph: Graph) -> list[str]:
    """A deployment that set the number again would fail while an alias moves, and undo what use had asked for."""
    return [
        f"{made.name}: is set again by every deployment"
        for made in graph.of(PROVISIONED)
        if "provisionedConcurrentExecutions" not in made.ignored
    ]


def ready_copies_follow_use(graph: Graph) -> list[str]:
    found = []
    for made in graph.of(PROVISIONED):
        resource = f"function:{made.inputs['functionName']}:{made.inputs['qualifier']}"
        targets = [t for t in graph.of(TARGET) if _scales(t, resource)]
        policies = [p for p in graph.of(POLICY) if _scales(p, resource)]
        if len(targets) != 1 or not all(_tracks_use(policy) for policy in policies) or len(policies) != 1:
            found.append(f"{made.name}: does not follow use")
            continue
        (target,) = targets
        if not 1 <= target.inputs["minCapacity"] <= target.inputs["maxCapacity"]:
            found.append(f"{target.name}: from {target.inputs['minCapacity']} to {target.inputs['maxCapacity']}")
        if made.urn not in target.dependencies or target.urn not in policies[0].dependencies:
            found.append(f"{target.name}: may be made before what it scales")
    return found


def hours_end_where_they_began(graph: Graph) -> list[str]:
    """For each schedule that raises the minimum there is one that brings back the target's own."""
    found = []
    for target in graph.of(TARGET):
        actions = [a for a in graph.of(ACTION) if _scales(a, target.inputs["resourceId"])]
        own = [a for a in actions if _range(a) == (target.inputs["minCapacity"], target.inputs["maxCapacity"])]
        if 2 * len(own) != len(actions):
            found.append(f"{target.name}: {len(own)} of {len(actions)} schedules bring it back")
        found += [f"{a.name}: is not in UTC" for a in actions if a.inputs.get("timezone") != "UTC"]
    return found


def _function(made: Made) -> str:
    return made.inputs["resourceId"].split(":")[1]


def _scales(made: Made, resource: str) -> bool:
    return made.inputs.get("resourceId") == resource and DIMENSION.items() <= made.inputs.items()


def _tracks_use(policy: Made) -> bool:
    config = policy.inputs.get("targetTrackingScalingPolicyConfiguration", {})
    metric = config.get("predefinedMetricSpecification", {}).get("predefinedMetricType")
    return (
        policy.inputs.get("policyType") == "TargetTrackingScaling"
        and metric == "LambdaProvisionedConcurrencyUtilization"
        and 0.1 <= config.get("targetValue", 0) <= 0.9
        and not config.get("disableScaleIn")
    )


def _range(action: Made) -> tuple[int, int]:
    asked = action.inputs["scalableTargetAction"]
    return asked["minCapacity"], asked["maxCapacity"]


RULES = (
    snapshots_are_taken_of_what_can_have_them,
    aliases_have_no_weights,
    ready_copies_stand_behind_an_alias,
    no_more_copies_are_ready_than_may_run,
    the_autoscaler_alone_changes_what_is_ready,
    ready_copies_follow_use,
    hours_end_where_they_began,
)
