"""Models that `scaling.models` sets apart on AWS: who shares the rest has one wildcard, and a Deny for these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from infra.function_table import named
from infra.keys import Access
from infra.permissions import merged
from interface import layout
from tests.graph import Graph, rewritten
from tests.infra.aws import whole as w
from tests.infra.aws.decision import allowed

APART, SHARED = ("file_type", "fraud"), ("breast_cancer", "fraud_eu", "third")
"""Each name of one list is the beginning of none of the other but for `fraud`, as names may be."""
POLICY = "predict-policy"
OWN = {"predict-file-type": "file_type", "predict-fraud": "fraud"}
ACTIONS = {Access.READ: "s3:GetObject", Access.WRITE: "s3:PutObject"}
NEEDS, ELSEWHERE = merged(named("predict").needs), merged(named("predict").needs_elsewhere)
LIVE = "arn:aws:s3:::models-bucket-1a2b3c4/fraud/live.json"


@cache
def graph() -> Graph:
    apart = {model: {"profile": "latency", "minimum": n + 1} for n, model in enumerate(APART)}
    return w.whole(models=[*SHARED, *APART], scaling={"models": apart}, functions={"predict": {"concurrency": 10}})


def faults(graph: Graph) -> list[str]:
    """Return what each predict function may do though it must not, and the other way round."""
    return [
        f"{function}: {'lacks' if must else 'has'} {action} of {what}"
        for function, models in (("predict", SHARED), *((name, (model,)) for name, model in OWN.items()))
        for statements in [graph.one(w.ROLE_POLICY, f"{function}-policy").document("policy")["Statement"]]
        for action, what, prefix, must in _probes(function, models)
        if allowed(statements, action, what, prefix) != must
    ]


def _probes(function: str, models: tuple[str, ...]) -> Iterator[tuple[str, str, str | None, bool]]:
    """Yield each question, with the answer that the row of the table gives."""
    for (store, access), prefixes in NEEDS.items():
        bucket = f"arn:aws:s3:::{store}-bucket-1a2b3c4"
        if access is Access.READ:
            yield "s3:ListBucket", bucket, None, True
        for model in (*SHARED, *APART):
            for prefix in prefixes:
                beside = function == "predict" and prefix in ELSEWHERE.get((store, access), ())
                must = model in models or beside
                key = layout.below(model, prefix)
                yield ACTIONS[access], f"{bucket}/{key}x", None, must
                if access is Access.READ:
                    yield "s3:ListBucket", bucket, key, must


def test_who_shares_has_all_models_but_those_set_apart_and_these_have_their_own() -> None:
    assert faults(graph()) == []


def changed(edit: Callable[[list[dict[str, Any]]], object]) -> Graph:
    def statements(document: Any) -> None:
        edit(document["Statement"])

    return graph().mutated(w.ROLE_POLICY, POLICY, policy=rewritten(statements))


def denials(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [statement for statement in statements if statement["Effect"] == "Deny"]


def wider(statements: list[dict[str, Any]], fraud: str, instead: str) -> None:
    """Put something wider in place of `fraud` in what is denied."""
    for statement in denials(statements):
        statement["Resource"] = [one.replace(fraud, instead) for one in statement["Resource"]]
        if "Condition" in statement:
            prefixes = statement["Condition"]["StringLike"]["s3:prefix"]
            statement["Condition"] = {"StringLike": {"s3:prefix": [one.replace(fraud, instead) for one in prefixes]}}


@pytest.mark.parametrize("number", range(6))
def test_each_denial_is_needed(number: int) -> None:
    def cut(statements: list[dict[str, Any]]) -> None:
        assert len(denials(statements)) == 6
        statements.remove(denials(statements)[number])

    assert any(fault.startswith("predict: has ") for fault in faults(changed(cut)))


@pytest.mark.parametrize(
    ("edit", "missed"),
    [
        (lambda statements: wider(statements, "fraud/", "fraud"), "fraud_eu/"),
        (lambda statements: wider(statements, "fraud/versions/", "fraud/"), "fraud/live.json"),
        (lambda statements: wider(statements, "fraud/", "*/"), "third/"),
        (lambda statements: [one.pop("Condition", None) for one in denials(statements)], "bucket-1a2b3c4"),
        (
            lambda statements: [
                one.update(Condition={"StringLikeIfExists": one["Condition"]["StringLike"]})
                for one in denials(statements)
                if "Condition" in one
            ],
            "s3:ListBucket of arn:aws:s3:::models-bucket-1a2b3c4",
        ),
    ],
    ids=("a-name-that-begins-so", "what-is-read-elsewhere", "every-model", "without-prefix", "if-there-is-a-prefix"),
)
def test_a_denial_that_is_too_wide_is_seen(edit: Callable[[list[dict[str, Any]]], object], missed: str) -> None:
    assert any(fault.startswith("predict: lacks ") and missed in fault for fault in faults(changed(edit)))


def test_a_model_more_of_those_that_share_changes_no_policy() -> None:
    apart = {"fraud": {"profile": "latency"}}
    policies = [
        {
            policy.name: policy.inputs["policy"]
            for policy in w.whole(models=models, scaling={"models": apart}).of(w.ROLE_POLICY)
            if not policy.name.startswith("retrain")
        }
        for models in (["breast_cancer", "fraud"], ["breast_cancer", "fraud", "fraud_eu", "third"])
    ]
    assert policies[0] == policies[1]


def test_where_every_model_is_set_apart_each_function_names_its_own() -> None:
    apart = {"a": {"profile": "latency"}, "b": {"profile": "latency", "minimum": 2}}
    policy = w.whole(models=["a", "b"], scaling={"models": apart}).one(w.ROLE_POLICY, POLICY).inputs["policy"]
    assert "Deny" not in policy
    assert '"*/' not in policy
    assert "/*/" not in policy
