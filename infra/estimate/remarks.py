"""What somebody must know who reads an estimate: what is missing, old, or beyond what the stack can do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from infra.estimate.bill import Bill
from infra.estimate.calls import calls
from infra.estimate.situation import component
from infra.estimate.tariff import OLD

REFUSED = "what is beyond is refused, and not billed as said here"


def remarks(bill: Bill, today: date) -> Iterator[str]:
    """Yield a sentence for each."""
    cloud, region = bill.tariff.cloud, bill.region
    if not region:
        yield f"{cloud}:region is not stated: nothing is priced; energy is said as of the fleet's mean"
    elif not bill.priced:
        yield f"no prices of {region} are here: no USD are said; infra/estimate/tariffs/{cloud}.toml has the regions"
    if region and bill.grid is None:
        yield f"nobody has read the grid of {region}: energy is said, and no grams; infra/estimate/grid.toml has others"
    if old := bill.tariff.old(today):
        yield (
            f"{len(old)} of {len(bill.tariff.prices)} prices of {cloud} were read more than {OLD.days} days ago, the"
            f" oldest on {bill.tariff.read_on}: infra/estimate/tariffs/{cloud}.toml"
        )
    if not bill.situation.traffic.predictions_per_second:
        yield "estimate.predictions_per_second is 0: a month costs what an idle one does, and its runs and jobs"
    for model, words in bill.situation.budgets.items():
        kept = "and what runs at that moment" if bill.priced else "which nobody counts here, without prices"
        yield f"the experiments of a run of {model} use at most {words}, {kept}: search.budget"
    yield from _beyond(bill)


def _beyond(bill: Bill) -> Iterator[str]:
    """Yield which bounds of the stack the traffic breaks: the API's, and the copies of a predict function."""
    rate = bill.situation.traffic.requests_per_second
    for resource in bill.situation.graph:
        let = bill.charges.requests(resource)
        if let is not None and rate > let:
            yield f"{rate:,.0f} requests a second are asked, and api.throttling.rate lets {let:,.0f} through: {REFUSED}"
        name = component(resource)
        if resource.type != bill.charges.function or name not in bill.situation.predicting:
            continue
        bound = bill.charges.ceiling(resource, bill.situation)
        for each in calls(name, bill.situation) or ():
            at_once = each.rate * each.seconds
            if bound is not None and at_once > bound[1]:
                yield (
                    f"{each.rate:,.0f} requests a second keep {at_once:,.0f} copies of {name} at work, and"
                    f" {bound[0]} allows {bound[1]:,.0f}: {REFUSED}"
                )
