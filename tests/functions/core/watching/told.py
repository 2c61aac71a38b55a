"""Truths of captured rows, and the contract that says what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

from functions.core.registry.truths import KEY, REQUEST, Row, Truth, Truths
from functions.core.watching.answered import Answered
from functions.core.watching.checks import Checks
from functions.core.watching.qualities import Qualities, answered_of
from interface import layout
from models.contract import Contract
from tests.functions.core.watching.rows import CARD, DAY, FEATURES, MODEL, VERSION, Service, named

HOLDOUT = {"holdout": {"roc_auc": 0.99, "accuracy": 0.9}, "holdout_intervals": {"roc_auc": [0.98, 1.0]}}
CLASSES = ("no", "yes")


def contract(labels: Mapping[str, Any] | None = None, **changes: Any) -> Contract:
    content = {
        "name": MODEL,
        "task": "classification",
        "features": [one.document() for one in FEATURES],
        "target": {"name": "sick", "classes": list(CLASSES)},
        "search": {"families": [{"family": ["any"]}]},
        "gate": {"metric": "roc_auc", "minimum": 0.5},
        "labels": {"horizon_days": 0, **(labels or {})},
        **changes,
    }
    return Contract.parse({key: value for key, value in content.items() if value is not None}, "model.yaml")


def register(service: Service, version: str, **facts: Any) -> None:
    """Write what the card of a version says of its answers."""
    key = f"{MODEL}/{layout.VERSIONS}{version}/card.json"
    card = service.models.find_json(key) or CARD
    target = {"name": "sick", "classes": list(CLASSES)}
    service.models.put_json(key, {**card, "target": target, "metrics": HOLDOUT, **facts})


@dataclass(kw_only=True)
class Callers:
    """Callers of a version in service, who tell the truths of what they asked."""

    contract: Contract = field(default_factory=contract)
    service: Service = field(default_factory=Service)

    def __post_init__(self) -> None:
        register(self.service, VERSION)

    @property
    def answered(self) -> Answered:
        answered = answered_of(self.contract)
        assert answered is not None
        return answered

    @property
    def qualities(self) -> Qualities:
        return Qualities(self.service.models, self.service.captures, MODEL, self.answered)

    @property
    def checks(self) -> Checks:
        service = self.service
        return Checks(model=MODEL, models=service.models, captures=service.captures, answered=self.answered)

    def tell(self, day: float, truths: Mapping[Row, Truth]) -> None:
        """Tell truths at noon of a day and a bit; `day` counts as `rows.named` does."""
        at = (DAY + timedelta(days=day)).timestamp() + 600
        Truths(self.service.captures, MODEL).tell(list(truths.items()), at)

    def truths(self, records: Sequence[Mapping[str, Any]], *, wrong: float = 0.0) -> dict[Row, Truth]:
        """Return the truths of all rows of requests: drawn by the answers' probabilities, `wrong` of them turned."""
        found: dict[Row, Truth] = {}
        for record in records:
            for at, (_, probability) in enumerate(record["outputs"]):
                is_sick = self.service.rng.random() < probability
                turned = self.service.rng.random() < wrong
                found[Row(REQUEST, record["request"], at)] = CLASSES[int(is_sick != turned)]
        return found

    def quality(self, day: int, version: str = VERSION) -> Any:
        """Join what is due at the end of a day, and return the quality of a version."""
        self.qualities.settle(named(day))
        return self.qualities.check(named(day), version)

    def table(self, day: int) -> str:
        return self.service.captures.get(f"{MODEL}/{layout.LABELLED}{named(day)}/table.csv").decode()


def by_key(record: dict[str, Any], pseudonym: str) -> Row:
    """Have a request come with a key, and return how its first row is named by it."""
    record["key"] = pseudonym
    return Row(KEY, pseudonym, 0)


def auc(truths: Sequence[Truth], probabilities: Sequence[float]) -> float:
    """Return the area under the ROC curve, pair by pair."""
    y, scored = np.array(truths) == "yes", np.array(probabilities)
    above = scored[y][:, None] - scored[~y][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)
