"""What a stack without sizes of its own may ask for, so that a new account has it: from the graph to what is wrong.

A new account has ten copies of all functions together, of which ten must stay unreserved, and at most 3,008 MB for a
function: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html ("new AWS accounts have reduced
concurrency and memory quotas"), and the refusals that docs/scaling.md names.
"""

from __future__ import annotations

from tests.graph import Graph
from tests.infra.aws import whole as w

COPIES = 10
MEMORY_MB = 3008


def nothing_is_reserved_in_a_new_account(graph: Graph) -> list[str]:
    return [
        f"{function.name}: {reserved} copies are reserved"
        for function in graph.of(w.FUNCTION)
        if (reserved := function.inputs.get("reservedConcurrentExecutions", 0)) > 0
    ]


def memory_is_what_a_new_account_has(graph: Graph) -> list[str]:
    return [
        f"{function.name}: {function.inputs['memorySize']} MB"
        for function in graph.of(w.FUNCTION)
        if function.inputs.get("memorySize", 0) > MEMORY_MB
    ]


def the_workflow_leaves_copies_to_others(graph: Graph) -> list[str]:
    """What runs by itself, experiments and jobs, leaves copies for predictions."""
    experiments = sum(
        state["MaxConcurrency"]
        for machine in graph.of(w.MACHINE)
        for state in machine.document("definition")["States"].values()
        if state["Type"] == "Map"
    )
    jobs = sum(mapping.inputs.get("scalingConfig", {}).get("maximumConcurrency", 0) for mapping in graph.of(w.MAPPING))
    # More jobs than may run are `consumers_are_bounded`.
    return [f"{experiments} experiments, {jobs} jobs"] if experiments + min(jobs, 2) >= COPIES else []


RULES = (
    nothing_is_reserved_in_a_new_account,
    memory_is_what_a_new_account_has,
    the_workflow_leaves_copies_to_others,
)
