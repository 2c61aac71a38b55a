from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra import arrival_size, blueprint, bundle, clouds, limits, policy_size
from infra.archive import Archive
from infra.function_spec import FunctionSpec, NewObjects, Size, reads
from infra.function_table import FUNCTIONS, named
from infra.gcp import lint
from infra.limits import LIMITS, MIB, enforce, verdicts
from infra.settings import Settings
from tests.graph import deploy
from tests.infra.aws import whole as aws
from tests.infra.gcp import whole as gcp

FIFTY = {"predict": {"concurrency": 50}}


def settings(**changes: object) -> Settings:
    return Settings.parse({"cloud": "aws", "models": ["breast_cancer"], **changes}, where="")


def archive(unpacked: int = 1, size: int = 1) -> Archive:
    return Archive(path=Path("x.zip"), digest="0" * 64, size=size, unpacked=unpacked)


def refusal(stack: Settings, **archives: Archive) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        enforce(stack, archives, "test")
    return str(refused.value)


def test_limits_of_the_function_that_stops_are_those_of_a_stack_that_has_it() -> None:
    def of_stop(**changes: object) -> bool:
        return any(one.where.startswith("functions.stop.") for one in verdicts(settings(**changes), {}))

    assert (of_stop(), of_stop(budget={"usd_a_month": 5, "stop_at": 1})) == (False, True)


def test_a_stack_with_nothing_but_defaults_keeps_every_limit() -> None:
    enforce(settings(), {"train": archive(unpacked=250 * MIB)}, "test")


def test_an_archive_that_unpacks_to_more_than_the_platform_takes_is_refused() -> None:
    message = refusal(settings(), train=archive(unpacked=250 * MIB + 1))
    assert "functions/requirements/train.in" in message
    assert "at most 262,144,000" in message
    assert "https://docs.aws.amazon.com" in message


def test_a_stand_in_for_an_archive_is_checked_against_no_limit() -> None:
    whole, empty = archive(), replace(archive(), stand_in=True)
    checked = {verdict.where for verdict in verdicts(settings(), {"train": whole, "predict": empty})}
    assert "functions/requirements/train.in" in checked
    assert "functions/requirements/predict.in" not in checked


def test_a_prediction_may_not_outlast_the_api_in_front_of_it() -> None:
    message = refusal(settings(functions={"predict": {"timeout_seconds": 30}}))
    assert "Pulumi.test.yaml: functions.predict.timeout_seconds: 30" in message
    assert "at most 29" in message


def test_experiments_that_would_wait_for_a_copy_are_refused_where_copies_have_a_bound() -> None:
    too_many = {"training": {"parallelism": 5}}
    enforce(settings(**too_many), {}, "test")
    reserved = {"functions": {"train": {"concurrency": 4}}}
    expected = "training.parallelism, with functions.train.concurrency: 5 experiments at a time; accepted: at most 4"
    assert expected in refusal(settings(**too_many, **reserved))
    assert expected in refusal(settings(cloud="gcp", **too_many))
    enforce(settings(cloud="gcp", functions={"train": {"concurrency": 5}}, **too_many), {}, "test")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"training": {"parallelism": 21}}, "training.parallelism: 21 experiments at a time; accepted: at most 20"),
        (
            {"functions": {"jobs": {"timeout_seconds": 601}}},
            "functions.jobs.timeout_seconds: 601 seconds for a message; accepted: at most 600",
        ),
        (
            {"models": [f"m{number}" for number in range(21)]},
            "models: 21 bindings for predict to one store; accepted: at most 20",
        ),
    ],
)
def test_what_gcp_alone_cannot_do_is_refused_there_with_the_setting(changes: dict[str, object], expected: str) -> None:
    enforce(settings(**changes), {}, "test")
    refused = refusal(settings(cloud="gcp", **changes))
    assert f"Pulumi.test.yaml: {expected}" in refused
    assert "https://cloud.google.com" in refused


FIFTY_MODELS = [f"{'m' * 46}{number:02}" for number in range(50)]


def test_fifty_models_with_the_longest_names_keep_every_limit_of_aws() -> None:
    enforce(settings(models=FIFTY_MODELS), {}, "test")
    message = refusal(settings(models=[f"{'m' * 45}{number:03}" for number in range(100)]))
    assert "models: 5,994 bytes of a function's environment; accepted: at most 4,096" in message


def test_twenty_models_with_the_longest_names_keep_every_limit_of_gcp() -> None:
    enforce(settings(cloud="gcp", models=FIFTY_MODELS[:20]), {}, "test")


def test_a_function_that_is_set_apart_names_its_models_and_so_few_share_one_on_aws() -> None:
    def apart(number: int) -> dict[str, object]:
        return {"models": {model: {"profile": "latency"} for model in FIFTY_MODELS[1 : number + 1]}}

    enforce(settings(models=FIFTY_MODELS[:30], scaling=apart(6)), {}, "test")
    message = refusal(settings(models=FIFTY_MODELS[:30], scaling=apart(7)))
    assert "Pulumi.test.yaml: scaling.models, which sets functions apart, with models: " in message
    assert "characters of the policy of predict-" in message


def test_models_that_functions_set_apart_serve_are_counted_where_one_function_reads_of_all() -> None:
    apart = {model: {"profile": "latency", "minimum": n + 1} for n, model in enumerate(FIFTY_MODELS[:5])}
    enforce(settings(cloud="gcp", models=FIFTY_MODELS[:20], scaling={"models": apart}, functions=FIFTY), {}, "test")
    message = refusal(settings(cloud="gcp", models=FIFTY_MODELS[:21], scaling={"models": apart}, functions=FIFTY))
    assert "models: 21 bindings for predict to one store; accepted: at most 20" in message


def test_a_row_that_needs_too_much_of_one_model_is_to_blame_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = (reads("data", *(f"part{number}/" for number in range(200))),)
    with_row(monkeypatch, replace(named("jobs"), needs=needs))
    for cloud, what in (("aws", "characters of the policy of jobs"), ("gcp", "bindings for jobs to one store")):
        line = refusal(settings(cloud=cloud)).splitlines()[0]
        assert line.startswith("infra/function_table.py: jobs: needs: ")
        assert what in line


def test_what_a_build_installs_has_no_bound_where_the_cloud_states_none() -> None:
    results = verdicts(settings(cloud="gcp"), {"train": archive(unpacked=600 * MIB)})
    assert not [verdict for verdict in results if verdict.what == "bytes unpacked"]


@pytest.mark.parametrize("cloud", clouds.names())
@pytest.mark.parametrize("scaling", [{"profile": "balanced"}, {"profile": "latency", "minimum": 2}])
def test_every_profile_may_be_had_on_every_cloud(cloud: str, scaling: dict[str, object]) -> None:
    enforce(settings(cloud=cloud, scaling=scaling, functions=FIFTY), {}, "test")


def test_no_more_copies_are_kept_ready_than_may_run() -> None:
    enforce(settings(scaling={"profile": "latency", "minimum": 50}, functions=FIFTY), {}, "test")
    message = refusal(settings(scaling={"profile": "latency", "minimum": 51}, functions=FIFTY))
    assert "scaling.minimum" in message
    assert "51 copies kept ready; accepted: at most 50" in message
    busy = {"opens": "0 8 * * 1", "closes": "0 20 * * 1", "minimum": 51}
    assert "51 copies kept ready" in refusal(settings(scaling={"profile": "latency", "hours": [busy]}, functions=FIFTY))


def test_shared_copies_are_counted_by_what_they_answer_together() -> None:
    def gcp(minimum: int) -> Settings:
        return settings(cloud="gcp", scaling={"profile": "latency", "minimum": minimum}, functions=FIFTY)

    enforce(gcp(6), {}, "test")  # 50 requests at once, 8 a copy
    assert "7 copies kept ready; accepted: at most 6" in refusal(gcp(7))


def test_a_snapshot_needs_an_interpreter_that_has_them() -> None:
    message = refusal(settings(scaling={"profile": "balanced"}, runtime={"python": "3.11"}))
    assert "scaling.profile: balanced, with runtime.python: 3.11 as interpreter; accepted: 3.12, 3.13" in message
    own = {"models": {"breast_cancer": {"profile": "balanced"}}}
    assert "scaling.models.breast_cancer.profile" in refusal(settings(scaling=own, runtime={"python": "3.11"}))


def test_hours_are_refused_where_nothing_keeps_them() -> None:
    hours = [{"opens": "0 8 * * 1", "closes": "0 20 * * 1", "minimum": 2}]
    enforce(settings(scaling={"profile": "latency", "hours": hours}), {}, "test")
    message = refusal(settings(cloud="gcp", scaling={"profile": "latency", "hours": hours}))
    assert "scaling.hours: 1 parts of the week; accepted: at most 0" in message


def test_an_api_has_routes_for_so_many_models_with_their_own_function() -> None:
    models = [f"m{n}" for n in range(40)]
    own = {model: {"profile": "latency", "concurrency": n + 1} for n, model in enumerate(models[1:])}
    assert "routes; accepted: at most 300" in refusal(settings(models=models, scaling={"models": own}))


@pytest.mark.parametrize("cloud", clouds.names())
def test_every_limit_of_every_cloud_is_checked(cloud: str) -> None:
    results = verdicts(settings(cloud=cloud, scaling={"profile": "latency"}), {"predict": archive()})
    assert all(verdict.passed for verdict in results), [verdict for verdict in results if not verdict.passed]
    stated = {verdict.bound.removeprefix("at most ").removeprefix("at least ").replace(",", "") for verdict in results}
    bounds = {name: bound for name, bound in vars(LIMITS[cloud]).items() if type(bound) is int}
    assert {name for name, bound in bounds.items() if str(bound) not in stated} <= {
        "part_bytes",
        "steps_of_an_experiment",
        "requests_a_copy",
    }


@pytest.mark.parametrize("cloud", clouds.names())
def test_every_limit_is_dated_and_sourced(cloud: str) -> None:
    assert date.fromisoformat(LIMITS[cloud].read_on)
    assert all(source.startswith("https://") for source in LIMITS[cloud].sources)


def test_there_is_a_row_for_every_cloud() -> None:
    assert set(LIMITS) == set(clouds.names())


def test_what_is_assumed_is_not_less_than_what_is_deployed() -> None:
    """Compare each fixed figure with the blueprint's own graph, for the longest name that a bucket may have."""
    bucket = "data-bucket-1a2b3c4"
    (pattern,) = [
        resource.inputs["eventPattern"] for resource in aws.graph().of(aws.RULE) if resource.name == "datasets-rule"
    ]
    assert len(pattern) - len('{"wildcard": "*/incoming/*"}, ') + 63 - len(bucket) <= arrival_size.PATTERN_CHARACTERS
    (transform,) = gcp.graph().one(gcp.TOPIC, "datasets-topic").inputs["messageTransforms"]
    words = sum(len(word) + 1 for word in (*gcp.settings().models, "incoming\\/"))
    assert len(transform["javascriptUdf"]["code"]) - words <= arrival_size.TRANSFORM_BYTES
    environments = {
        name: resource.inputs["environment"]["variables"]
        for resource in aws.graph().of(aws.FUNCTION)
        for name in [resource.name]
    }
    for name, variables in environments.items():
        fixed = {key: value for key, value in variables.items() if key not in ("MODELS", "ROLLOUT", "STOPS")}
        urls = 3 * 63
        assert sum(len(key) + len(value) for key, value in fixed.items()) + urls <= limits.ENVIRONMENT_BYTES, name
    for cloud, stops in (
        (aws, environments["stop-function"]["STOPS"]),
        (gcp, gcp.variables(gcp.graph().one(gcp.FUNCTION, "stop-function"))["STOPS"]),
    ):
        (assumed,) = [one for one in verdicts(cloud.settings(), {}) if one.what == "bytes of the environment of stop"]
        assert len(stops) + limits.ENVIRONMENT_BYTES <= int(assumed.value)


def test_an_experiment_takes_as_many_steps_as_are_rendered() -> None:
    source = gcp.graph().one(gcp.WORKFLOW).document("sourceContents")
    parallel = next(
        entry["experiments"]
        for entry in source["main"]["steps"][1]["attempt"]["try"]["steps"]
        if "experiments" in entry
    )
    steps = [name for name, _, _ in lint.walk([{"experiments": parallel}], ())][1:]
    good = [name for name in steps if not name.endswith("_note")]
    good += [
        name for name, _, _ in lint.walk(source["begin_train"]["steps"], ()) if name not in ("blame", "detail", "fail")
    ]
    assert len(good) == LIMITS["gcp"].steps_of_an_experiment


# What follows from the rows --------------------------------------------------------------------


def with_row(monkeypatch: pytest.MonkeyPatch, row: FunctionSpec) -> None:
    monkeypatch.setattr(limits, "FUNCTIONS", (*(spec for spec in limits.FUNCTIONS if spec.name != row.name), row))


@pytest.mark.parametrize(
    ("cloud", "expected"),
    [
        ("aws", "characters of an event pattern; accepted: at most 2,048"),
        ("gcp", "bytes of a transform; accepted: at most 20,480"),
    ],
)
def test_more_prefixes_of_a_row_than_an_arrival_can_have_are_refused_with_the_row(
    cloud: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefixes = tuple(f"notes{number}/" for number in range(2000))
    with_row(monkeypatch, replace(named("jobs"), trigger=NewObjects(store="jobs", prefixes=prefixes, arrival="notes")))
    (line, _) = refusal(settings(cloud=cloud)).splitlines()
    assert line.startswith("infra/function_table.py: jobs: trigger.prefixes, below each model: ")
    assert line.endswith(expected)


def test_the_arrivals_of_a_store_are_counted_together_with_those_of_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket of GCP takes ten of them, whoever waits for what arrives."""

    def waiting(rows: int) -> tuple[FunctionSpec, ...]:
        trigger = NewObjects(store="data", prefixes=("notes/",), arrival="notes")
        return tuple(replace(named("jobs"), name=f"notes{number}", trigger=trigger) for number in range(rows))

    results = {}
    for rows in (9, 10):
        with monkeypatch.context() as patch:
            patch.setattr(limits, "FUNCTIONS", waiting(rows))
            results[rows] = next(limits._arrivals(settings(cloud="gcp"), LIMITS["gcp"]))
    assert results[9].passed
    assert not results[10].passed
    assert results[10].origin.startswith("infra/function_table.py: notes0, notes1, ")
    assert (results[10].what, results[10].value) == ("arrivals of data", 11)


@pytest.mark.parametrize(
    ("cloud", "figure", "value", "expected"),
    [
        ("aws", "concurrency", 1, "1 messages at a time; accepted: at least 2"),
        ("gcp", "timeout_seconds", 700, "700 seconds for a message; accepted: at most 600"),
    ],
)
def test_a_size_is_blamed_on_the_row_unless_the_stack_changes_it(
    cloud: str, figure: str, value: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = settings(cloud=cloud, functions={"jobs": {figure: value}})
    assert f"Pulumi.test.yaml: functions.jobs.{figure}: {expected}" in refusal(changed)
    row = named("jobs")
    size = Size(**{**row.size, figure: value})
    with_row(monkeypatch, replace(row, size=size))
    monkeypatch.setattr(limits, "triggered_by", lambda *kinds: tuple(
        spec for spec in limits.FUNCTIONS if isinstance(spec.trigger, kinds)
    ))  # fmt: skip
    assert f"infra/function_table.py: jobs: size.{figure}: {expected}" in refusal(changed)


def test_a_file_that_breaks_a_limit_is_not_blamed_on_the_stack() -> None:
    assert refusal(settings(), train=archive(unpacked=251 * MIB)).startswith("functions/requirements/train.in: ")


def test_the_copies_of_a_row_are_blamed_on_it_where_the_stack_gives_no_concurrency(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = replace(named("jobs"), copies=1)
    with_row(monkeypatch, row)
    monkeypatch.setattr(limits, "triggered_by", lambda *kinds: (row,) if NewObjects in kinds else ())
    expected = "infra/function_table.py: jobs: copies: 1 messages at a time; accepted: at least 2"
    assert expected in refusal(settings(cloud="aws"))
    enforce(settings(cloud="gcp"), {}, "test")


@pytest.mark.parametrize("apart", [{}, {"file_type": {"profile": "latency"}}])
def test_the_policies_of_functions_are_not_longer_than_is_assumed(apart: dict[str, object]) -> None:
    """For the longest names of a region and of an account's resources."""
    stack: dict[str, Any] = {"models": ["breast_cancer", "another", "file_type"], "scaling": {"models": apart}}
    assumed = {
        verdict.what.rpartition(" ")[2]: int(verdict.value)
        for verdict in verdicts(aws.settings(**stack), {})
        if verdict.what.startswith("characters of the policy")
    }
    policies = {
        resource.name.removesuffix("-policy"): resource.inputs["policy"]
        for resource in aws.whole(**stack).of(aws.ROLE_POLICY)
    }
    assert len(assumed) == len(FUNCTIONS) + len(apart)
    for function, assumption in assumed.items():
        size = len("".join(policies[function].split()))
        assert size + 64 + 80 + 2 * (len("ap-southeast-6") - len("eu-west-1")) <= assumption, function
        assert assumption - size < policy_size.POLICY_CHARACTERS, function


def test_the_bindings_of_a_function_are_as_many_as_is_assumed() -> None:
    apart = {"m3": {"profile": "latency"}}
    stack: dict[str, Any] = {"models": [f"m{number}" for number in range(4)], "scaling": {"models": apart}}
    assumed = {
        verdict.what.split()[2]: verdict.value
        for verdict in verdicts(gcp.settings(**stack), {})
        if verdict.what.startswith("bindings for")
    }
    counts: Counter[tuple[str, str, str]] = Counter(
        (resource.inputs["member"], resource.inputs["role"], resource.inputs["bucket"])
        for resource in gcp.whole(**stack).of(gcp.BUCKET_MEMBER)
    )
    most = {function: 0 for function in assumed}
    for (member, _, _), count in counts.items():
        function = member.removeprefix("serviceAccount:").partition("-identity-")[0]
        most[function] = max(most[function], count)
    assert most == assumed


def test_a_limit_that_needs_no_archive_is_compared_before_any_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: object, **__: object) -> dict[str, Archive]:
        raise AssertionError("an archive is built")

    monkeypatch.setattr(bundle, "archives", build)
    stack = settings(functions={"predict": {"timeout_seconds": 30}})
    with pytest.raises(pulumi.RunError, match="30 seconds behind the API; accepted: at most 29"):
        deploy(lambda: blueprint.build(clouds.find("aws"), stack))


def test_hours_on_a_cloud_that_has_none_are_one_mistake() -> None:
    hours = [{"opens": "0 6 * * 1", "closes": "0 18 * * 1", "minimum": 900}]
    message = refusal(settings(cloud="gcp", scaling={"profile": "latency", "hours": hours}))
    assert "parts of the week; accepted: at most 0" in message
    assert "copies kept ready" not in message
