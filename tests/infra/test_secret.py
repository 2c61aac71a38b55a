"""An encrypted setting: read as the plain one is, encrypted in the state, and shown nowhere."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pulumi
import pytest

from infra import clouds
from infra.blueprint import draw
from infra.function_table import FUNCTIONS
from infra.limits import enforce
from infra.settings import KEY, Settings
from infra.tier import Tier
from infra.vocabulary import Cloud
from tests.graph import Graph, deploy
from tests.infra.sample import PLATFORM, archive, files

MINIMAL: dict[str, Any] = {"cloud": "aws", "models": ["breast_cancer"]}
JWT, NONE = "jwt", "none"


def document(cloud: str, auth: str, turn: int) -> dict[str, Any]:
    """Return settings of which every value that decides no resource's existence changes with the turn."""
    api: dict[str, Any] = {"throttling": {"rate": 100 + turn, "burst": 200 + turn}}
    api["auth"] = {"kind": auth, "reason": f"a reason, number {turn}"}
    if auth == JWT:
        api["auth"] = {"kind": auth, "issuer": f"https://{turn}.example.org", "audience": [f"audience-{turn}"]}
    scaling: dict[str, Any] = {"profile": "latency", "minimum": 2 + turn}
    if cloud == "aws":
        api["cors"] = {"origins": [f"https://page-{turn}.example.org"]}
        scaling["hours"] = [{"opens": f"{turn} 8 * * *", "closes": f"{turn} 18 * * *", "minimum": 3 + turn}]
    own = {"profile": "latency", "memory_mb": 512 + turn, "concurrency": 11 + turn, "minimum": 1 + turn}
    size = {"memory_mb": 1024 + turn, "timeout_seconds": 20 + turn, "concurrency": 20 + turn}
    window = {"deadline_hours": 8 + turn, "between": f"0{turn}:00-09:00", "run_minutes": 50 + turn}
    window["forecast"] = f"https://{turn}.example.org/forecast"
    return {
        "cloud": cloud,
        "models": ["breast_cancer", "file_type"],
        "functions": {spec.name: size for spec in FUNCTIONS},
        "scaling": {**scaling, "models": {"file_type": own}},
        "jobs": {"attempts": 6 + turn},
        "training": {
            "parallelism": 3 + turn,
            "timeout_hours": 10 + turn,
            "schedule": f"{turn} 3 * * 1",
            "window": window,
        },
        "rollout": {"steps": [10 + turn, 50 + turn], "bake_seconds": 60 + turn, "patience": 3 + turn, "shadow": 10},
        "api": api,
        "capture": {"inputs": 0.1 + turn / 100, "days": 5 + turn},
        "alerts": {
            "email": [f"{turn}@example.org"],
            "webhook": f"https://{turn}.example.org",
            "latency_ms": 1000 + turn,
            "silence_minutes": 60 + turn,
            "objective": 99.0 + turn / 10,
        },
        "budget": {
            "usd_a_month": 50 + turn,
            "warn_at": [0.5 + turn / 10],
            "stop_at": 1 + turn / 10,
            **({"billing_account": f"01A2B{turn}-4C5D6E-7F8091"} if cloud == "gcp" else {}),
        },
        "pointer_seconds": 5 + turn,
        "log_days": [7, 14][turn],
        "protect": False,
    }


def texts(value: Any) -> Any:
    """Return settings as the CLI passes them where all are encrypted: every value that is no object is text."""
    match value:
        case dict():
            return {key: texts(inner) for key, inner in value.items()}
        case list():
            return [texts(inner) for inner in value]
        case _:
            return value if isinstance(value, str) else json.dumps(value)


@cache
def drawn(cloud: Cloud, auth: str, turn: int = 0, *, secret: bool = False) -> Graph:
    asked = document(cloud.name, auth, turn)
    settings = Settings.parse(texts(asked) if secret else asked, where="Pulumi.test.yaml", secret=secret)
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    return deploy(lambda: draw(cloud, settings, PLATFORM, archives, files(settings)))


def plain(value: Any) -> Any:
    """Return inputs with files as their paths, which can be compared."""
    match value:
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case pulumi.FileAsset() | pulumi.FileArchive():
            return str(value.path)
        case _:
            return value


@cache
def decided(cloud: Cloud, auth: str) -> dict[str, set[str]]:
    """Return the inputs that differ between two stacks whose settings do, by the URN of their resource."""
    one, other = ({timeless(resource.urn): resource for resource in drawn(cloud, auth, turn)} for turn in (0, 1))
    assert one.keys() == other.keys()
    return {resource.urn: differing(resource.inputs, other[key].inputs) for key, resource in one.items()}


def timeless(urn: str) -> str:
    """Return a URN without the minute at which a part of the week opens or closes: it is called after that."""
    return re.sub(r"-(opens|closes)-\d+_", r"-\1-", urn)


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    return {name for name in one.keys() | other.keys() if plain(one.get(name)) != plain(other.get(name))}


EMBEDDED = [clouds.find(name) for name in clouds.of(Tier.DEPLOYABLE)]
every_cloud = pytest.mark.parametrize("cloud", EMBEDDED, ids=lambda cloud: cloud.name)
every_auth = pytest.mark.parametrize("auth", [JWT, NONE])


def exposed(cloud: Cloud, auth: str, secret: Graph) -> dict[str, set[str]]:
    """Return the inputs that settings decide and that are not secret in a graph of secret settings, by URN."""
    kept = {resource.urn: resource.secret for resource in secret}
    return {urn: names - kept[urn] for urn, names in decided(cloud, auth).items() if names - kept[urn]}


@every_cloud
@every_auth
def test_every_input_that_a_setting_decides_is_secret_if_the_settings_are(cloud: Cloud, auth: str) -> None:
    assert exposed(cloud, auth, drawn(cloud, auth, secret=True)) == {}


@every_cloud
def test_an_input_that_is_not_marked_is_seen(cloud: Cloud) -> None:
    whole = drawn(cloud, JWT, secret=True)
    for resource in whole:
        for name in resource.secret & decided(cloud, JWT)[resource.urn]:
            bare = whole.swapped(resource, replace(resource, secret=resource.secret - {name}))
            assert exposed(cloud, JWT, bare) == {resource.urn: {name}}


@every_cloud
def test_no_other_input_is_kept_from_who_reviews_a_preview(cloud: Cloud) -> None:
    """The kinds of inputs that differ for some setting are those of the cloud's table, and no more."""
    types = {resource.urn: resource.type for resource in drawn(cloud, JWT)}
    found: dict[str, set[str]] = {}
    for auth in (JWT, NONE):
        for urn, names in decided(cloud, auth).items():
            found.setdefault(types[urn], set()).update(names)
    table = {kind: {camel(name) for name in names} for kind, names in cloud.from_settings.items()}
    assert {kind: names for kind, names in found.items() if names} == table


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


@every_cloud
def test_secret_settings_give_the_stack_that_plain_ones_give_and_its_outputs_stay_readable(cloud: Cloud) -> None:
    secret, open_ = drawn(cloud, JWT, secret=True), drawn(cloud, JWT)
    assert [(one.urn, plain(one.inputs)) for one in secret] == [(one.urn, plain(one.inputs)) for one in open_]
    assert without_estimate(secret) == without_estimate(open_) == without_estimate(drawn(cloud, JWT, 1))
    assert not any(resource.secret for resource in open_)


def without_estimate(graph: Graph) -> dict[str, Any]:
    return {name: value for name, value in graph.returned.items() if name != "estimate"}


@every_cloud
@pytest.mark.parametrize("secret", [True, False])
def test_the_estimate_is_as_secret_as_the_settings_that_its_figures_follow_from(cloud: Cloud, secret: bool) -> None:
    asked = document(cloud.name, NONE, 0)
    settings = Settings.parse(texts(asked) if secret else asked, where="Pulumi.test.yaml", secret=secret)
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    told: list[object] = []

    def program() -> None:
        estimate = draw(cloud, settings, PLATFORM, archives, files(settings))["estimate"]
        told.append(pulumi.Output.from_input(estimate).is_secret())

    deploy(program)
    assert asyncio.run(known(told[0])) is secret


async def known(found: Any) -> bool:
    return await found


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"log_days": "7"}, lambda settings: settings.log_days == 7),
        ({"protect": "false"}, lambda settings: settings.protect is False),
        ({"capture": {"inputs": "0.5"}}, lambda settings: settings.capture.inputs == 0.5),
        ({"capture": {"inputs": "1e-2"}}, lambda settings: settings.capture.inputs == 0.01),
        ({"rollout": {"steps": ["5", "50"]}}, lambda settings: settings.rollout.steps == (5, 50)),
        ({"scaling": {"profile": "latency", "minimum": "2"}}, lambda settings: settings.scaling.minimum == 2),
        (
            {"scaling": {"models": {"breast_cancer": {"profile": "eco", "memory_mb": "512"}}}},
            lambda settings: settings.scaling.models["breast_cancer"].memory_mb == 512,
        ),
        (
            {"api": {"auth": {"kind": "jwt", "issuer": "https://a", "audience": ["1234", "true"]}}},
            lambda settings: settings.api.auth.audience == ("1234", "true"),
        ),
    ],
)
def test_a_secret_is_converted_like_the_plain_value(changes: dict[str, Any], value: Callable[[Settings], bool]) -> None:
    assert value(Settings.parse({**MINIMAL, **changes}, where="", secret=True))


def test_a_fraction_is_read_though_the_cli_writes_it_as_text() -> None:
    assert Settings.parse({**MINIMAL, "capture": {"inputs": "0.25"}}, where="").capture.inputs == 0.25


def test_what_the_cli_writes_as_a_number_is_refused_as_text_where_nothing_is_secret() -> None:
    with pytest.raises(pulumi.RunError, match='found "7"; accepted: 1, 3'):
        Settings.parse({**MINIMAL, "log_days": "7"}, where="")


HUSH = "8675309"
SECRETS: list[dict[str, Any]] = [
    {"log_days": HUSH},
    {"protect": HUSH},
    {"pointer_seconds": HUSH},
    {"pointer_seconds": f"{HUSH}x"},
    {"capture": {"inputs": HUSH}},
    {"capture": HUSH},
    {"training": {"schedule": HUSH}},
    {"training": {"schedule": f"{HUSH} * * * *"}},
    {"rollout": {"steps": [HUSH]}},
    {"rollout": {"steps": ["50", "10"], "shadow": HUSH}},
    {"runtime": {"python": HUSH}},
    {"api": {"auth": {"kind": HUSH}}},
    {"api": {"auth": {"kind": "jwt", "issuer": HUSH, "audience": ["a"]}}},
    {"api": {"cors": {"origins": [HUSH]}}},
    {"scaling": {"profile": HUSH}},
    {"scaling": {"profile": "latency", "hours": [{"opens": HUSH, "closes": "1 * * * *", "minimum": "1"}]}},
    {"models": [HUSH]},
    {"functions": {"predict": {"memory_mb": HUSH}}},
]


@pytest.mark.parametrize("changes", SECRETS, ids=json.dumps)
def test_the_refusal_of_a_secret_names_the_key_and_shows_no_value(changes: dict[str, Any]) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        Settings.parse({**MINIMAL, **changes}, where="Pulumi.test.yaml", secret=True)
    assert f"Pulumi.test.yaml: {KEY} -> {next(iter(changes))}" in str(refused.value)
    assert HUSH not in str(refused.value)


def test_a_limit_that_a_secret_breaks_is_named_without_the_figure() -> None:
    broken = {**MINIMAL, "functions": {"predict": {"timeout_seconds": 567, "concurrency": 678}}}
    for secret in (False, True):
        settings = Settings.parse(broken, where="", secret=secret)
        with pytest.raises(pulumi.RunError) as refused:
            enforce(settings, {}, "test")
        message = str(refused.value)
        assert "Pulumi.test.yaml: functions.predict.timeout_seconds: " in message
        assert ("567" not in message) is secret


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (json.dumps({**MINIMAL, "log_days": HUSH}), "log_days: found a secret"),
        (HUSH, "serverless-ml:settings"),
        (f"{{{HUSH}", "found a secret, which is not shown; accepted: a mapping"),
        (json.dumps([HUSH]), "serverless-ml:settings"),
    ],
)
def test_a_program_is_told_by_pulumi_which_settings_are_secret(value: str, sentence: str) -> None:
    with pytest.raises(pulumi.RunError, match=sentence) as refused:
        deploy(Settings.load, config={KEY: value}, secret_keys=[KEY])
    assert HUSH not in str(refused.value)


@pytest.mark.parametrize(
    ("cloud", "changes", "sentence"),
    [
        ("aws", {"functions": {"jobs": {"concurrency": 1}}}, r"functions\.jobs\.concurrency: (1 messages|.*secret)"),
        ("gcp", {"jobs": {"attempts": 4}}, r"jobs\.attempts: (4 deliveries|.*secret)"),
        ("gcp", {"runtime": {"architecture": "arm64"}}, r"runtime\.architecture: (arm64|.*secret)"),
        ("venus", {}, r'cloud: found ("venus"|a secret.*); accepted: aws, gcp'),
    ],
)
def test_what_a_cloud_refuses_is_shown_only_if_it_is_no_secret(
    cloud: str, changes: dict[str, Any], sentence: str
) -> None:
    asked = {**MINIMAL, **changes, "cloud": cloud}
    for keys in ([], [KEY]):
        with pytest.raises(pulumi.RunError) as refused:
            deploy(lambda: _drawn_of(Settings.load()), config={KEY: json.dumps(asked)}, secret_keys=keys)
        found = re.search(sentence, str(refused.value))
        assert found is not None, refused.value
        assert ("secret" in found[1]) is bool(keys)


def _drawn_of(settings: Settings) -> object:
    platform = replace(PLATFORM, architecture=settings.runtime.architecture)
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    enforce(settings, archives, pulumi.get_stack())
    return draw(clouds.find(settings.cloud), settings, platform, archives)


def test_settings_that_are_read_know_whether_they_are_secret() -> None:
    read: list[bool] = []
    for keys in ([], [KEY], ["aws:region"]):
        config = {KEY: json.dumps(MINIMAL)}
        deploy(lambda: read.append(Settings.load().secret), config=config, secret_keys=keys)
    assert read == [False, True, False]
