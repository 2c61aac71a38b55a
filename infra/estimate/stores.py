"""What the stores of a stack are used for: objects written, read and kept, the same on every cloud."""

from __future__ import annotations

from collections.abc import Iterator

from infra.estimate import assumed
from infra.estimate.calls import looks_a_month
from infra.estimate.demand import Demand
from infra.estimate.situation import Situation
from infra.estimate.use import Per, Use


def uses(store: str, situation: Situation, days: float, prices: str) -> Iterator[Use]:
    """Yield what a store is billed for, by its name in the stack.

    It deletes what it got after so many days. Its prices are `<prices>.write`, `.read` and `.stored`.
    """
    requests, experiments = 1 / situation.traffic.rows_a_request, situation.experiments_a_run

    def use(per: Per, what: str, quantity: float) -> Use:
        return Use(per=per, price=f"{prices}.{what}", quantity=quantity)

    def kept(per: Per, gb_months: float) -> Use:
        return Use(per=per, price=f"{prices}.stored", quantity=gb_months, demand=Demand(stored=gb_months))

    match store:
        case "captures":
            yield use(Per.PREDICTION, "write", requests * situation.captures_a_request)
            yield kept(Per.PREDICTION, requests * situation.captured_bytes / assumed.GB * days / 30)
        case "models":
            yield use(Per.PREDICTION, "read", requests * situation.pointer_reads_a_request)
            looks = looks_a_month() * len(situation.models)
            yield use(Per.MONTH, "read", looks * assumed.READS_OF_A_LOOK)
            yield use(Per.MONTH, "write", looks * assumed.LISTS_OF_A_LOOK)
            yield use(Per.RUN, "write", assumed.WRITES_OF_A_RUN + experiments * assumed.WRITES_OF_AN_EXPERIMENT)
            yield kept(Per.RUN, experiments * assumed.MODEL_BYTES / assumed.GB * assumed.KEPT_MONTHS)
        case "data":
            yield use(Per.RUN, "read", assumed.READS_OF_A_RUN + experiments * assumed.READS_OF_AN_EXPERIMENT)
            # The upload, and the dataset that is made of it.
            yield kept(Per.RUN, 2 * situation.traffic.dataset_megabytes / 1000 * assumed.KEPT_MONTHS)
        case "jobs":
            yield use(Per.JOB, "write", assumed.REQUESTS_OF_A_JOB)
            yield use(Per.JOB, "read", assumed.REQUESTS_OF_A_JOB)
