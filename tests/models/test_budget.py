from __future__ import annotations

from typing import Any

import pytest

from models.budget import Budget, usd_of
from models.section import ContractError
from tests.functions.bench import contract


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ({"budget": {}}, "search.budget: is empty; accepted: maximum_seconds, maximum_usd, or both"),
        ({"budget": {"maximum_usd": 0}}, "search.budget.maximum_usd"),
        ({"budget": {"usd": 1}}, "search.budget.usd"),
        ({"maximum_seconds_each": 0}, "search.maximum_seconds_each"),
        ({"maximum_seconds_each": 901}, "search.maximum_seconds_each"),
        ({"maximum_seconds_each": "10"}, "search.maximum_seconds_each"),
    ],
)
def test_a_bound_that_bounds_nothing_is_refused_with_its_key(search: dict[str, Any], said: str) -> None:
    with pytest.raises(ContractError) as refused:
        contract(search=search)
    assert said in str(refused.value)


def test_a_contract_without_bounds_has_the_digest_that_it_had_and_each_bound_is_another() -> None:
    plain = contract()
    assert not {"maximum_seconds_each", "budget"} & plain.search.model_dump(mode="json").keys()
    others = [{"maximum_seconds_each": 10}, {"budget": {"maximum_usd": 1}}, {"budget": {"maximum_seconds": 1}}]
    digests = {contract(search=search).digest for search in others}
    assert len(digests | {plain.digest}) == 4


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({"maximum_usd": 0.5}, "0.50 USD"),
        ({"maximum_seconds": 3600}, "3,600 seconds"),
        ({"maximum_usd": 1200, "maximum_seconds": 0.5}, "1,200.00 USD and 0.5 seconds"),
    ],
)
def test_a_budget_in_words(budget: dict[str, float], words: str) -> None:
    assert Budget.model_validate(budget).words == words


def test_an_amount_of_less_than_a_cent_is_told_from_nothing() -> None:
    assert usd_of(0.000125) == "0.000125 USD"


def test_a_very_small_amount_is_written_out() -> None:
    assert (usd_of(0.00005), usd_of(0.0000123456), usd_of(0)) == ("0.00005 USD", "0.0000123 USD", "0.00 USD")
