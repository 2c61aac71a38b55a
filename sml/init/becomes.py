"""What the columns of a table become, in words: those that are learnt, open, or several numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.feature import COMPOUND
from models.terms import terms
from sml.init.words import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.contract import Contract


def becomes_of(contract: Contract, profile: Mapping[str, Any]) -> dict[str, str]:
    """Return what each column becomes that is no number by itself, by the contract and the profile of a dataset."""
    told = {}
    for feature in contract.features:
        if feature.kind in COMPOUND:
            own = terms(feature, contract.features)
            count = "1 number" if len(own) == 1 else f"{len(own)} numbers"
            counted = f"{count}: {listed([term.name.removeprefix(f'{feature.name}.') for term in own])}"
            told[feature.name] = counted if own else "nothing itself: the days since it are counted"
        elif feature.learn or feature.unseen == "other":
            how = "learnt from this table" if feature.learn else "as model.yaml lists them"
            known = f"one of {len(feature.categories):,} categories, {how}"
            counts = profile["features"][feature.name]["counts"]
            others = "1 row holds" if counts[-1] == 1 else f"{counts[-1]:,} rows hold"
            other = f"; {others} another value" if feature.unseen == "other" else ""
            told[feature.name] = f"{known}: {listed(feature.categories)}{other}"
    if lags := contract.lags:
        told[contract.target.name] = (
            f"{len(lags)} features of rows that come later: {listed([lag.name for lag in lags])}"
        )
    return told
