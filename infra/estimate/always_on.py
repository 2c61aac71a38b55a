"""A machine that is always on, by the same method: how much it emits, and from which rate on functions emit more."""

from __future__ import annotations

from dataclasses import dataclass, replace

from infra.estimate.bill import Bill, Figure, scaled
from infra.estimate.calls import calls
from infra.estimate.demand import MONTH, NO_DEMAND, Demand
from infra.estimate.situation import component
from infra.estimate.tables import table
from infra.estimate.use import Per, Use


@dataclass(frozen=True, kw_only=True)
class AlwaysOn:
    """The machine beside the predict functions; neither side has its stores, API and logs."""

    vcpus: int
    gb: int
    machine: Figure
    """A month of it, answering the same requests."""
    functions: Figure
    """A month of the predict functions."""
    crossing: float | None
    """Predictions a second from which on the functions emit more; None where they do not, at any rate. 0 where they
    always do."""
    most: float
    """Predictions a second that the machine can answer at all."""


def always_on(bill: Bill) -> AlwaysOn:
    """Compare the predict functions with the machine of hardware.toml."""
    stated, traffic = table("hardware")["machine"], bill.situation.traffic
    seconds = traffic.milliseconds_a_request / 1000 / traffic.rows_a_request
    most = stated["vcpus"] / seconds
    idle = Demand(reserved=stated["vcpus"] * MONTH, memory=stated["gb"] * MONTH)
    answered = min(traffic.predictions_per_second, most)
    machine = bill.of(idle + Demand(working=seconds) * (answered * MONTH), None)
    uses = [use for use in _uses(bill) if use.per in (Per.PREDICTION, Per.MONTH)]
    functions = bill.figure(scaled(use, bill.times[use.per]) for use in uses)
    return AlwaysOn(
        vcpus=stated["vcpus"],
        gb=stated["gb"],
        machine=machine,
        functions=functions,
        crossing=_crossing(bill, uses, idle, seconds),
        most=most,
    )


def _uses(bill: Bill) -> list[Use]:
    uses: list[Use] = []
    for function in bill.situation.graph:
        if function.type == bill.charges.function and component(function) in bill.situation.predicting:
            served = bill.charges.served(function, bill.situation)
            called = calls(component(function), bill.situation) or ()
            uses += bill.charges.standing(served)
            uses += bill.charges.work(served, [replace(each, starts_a_call=0.0) for each in called])
    return uses


def _crossing(bill: Bill, uses: list[Use], idle: Demand, seconds: float) -> float | None:
    """Return the rate at which both emit the same: both grow with it evenly, the machine from more, and slower.

    A function reserves hardware while it works, the machine all the time; what work takes besides is the same.
    """

    def grams(demand: Demand) -> float:
        figure = bill.of(demand, None)
        return (figure.operational.central if figure.operational else 0.0) + figure.embodied.central

    standing = grams(sum((use.demand for use in uses if use.per is Per.MONTH), NO_DEMAND))
    each = grams(sum((use.demand for use in uses if use.per is Per.PREDICTION), NO_DEMAND))
    more = (each - grams(Demand(working=seconds))) * MONTH
    ahead = grams(idle) - standing
    if ahead <= 0:
        return 0.0
    return ahead / more if more > 0 else None
