"""What a setting or a place cannot have is refused before the first resource, on every cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest

from infra import blueprint, budgeting, clouds
from infra.accepted import Kind, accepted, below, kinds
from infra.function_table import FUNCTIONS
from infra.gcp.regions import PROJECT_VARIABLES, REGION_VARIABLES
from infra.limits import enforce
from infra.settings import KEY, Settings
from infra.target import target
from localcloud.engine.stack_file import merged
from tests.graph import deploy
from tests.infra.sample import archive

Changes = Mapping[str, Any]
MINIMAL: Changes = {"models": ["breast_cancer"]}
EMPTY = {"gcp:region": "", "gcp:project": ""}
ARM: Changes = {"runtime": {"architecture": "arm64"}}
HOURS = [{"opens": "0 8 * * 1", "closes": "0 20 * * 1", "minimum": 2}]
BAD: list[tuple[str, Changes, Changes, str]] = [
    ("gcp", {"api": {"cors": {"origins": ["https://page.example.org"]}}}, {}, "api.cors.origins: 1 origins of pages"),
    ("gcp", ARM, {}, "runtime.architecture: arm64 as processor; accepted: x86_64"),
    ("gcp", {"jobs": {"attempts": 3}}, {}, "jobs.attempts: 3 deliveries of a message; accepted: 5 to 100"),
    ("gcp", {"training": {"parallelism": 21}}, {}, "training.parallelism: 21"),
    ("gcp", {"functions": {"jobs": {"timeout_seconds": 601}}}, {}, "functions.jobs.timeout_seconds: 601"),
    ("gcp", {"scaling": {"profile": "latency", "hours": HOURS}}, {}, "scaling.hours: 1 parts of the week"),
    ("gcp", {}, EMPTY, "gcp:region is missing"),
    ("gcp", {}, EMPTY, "gcp:project is missing"),
    ("gcp", {}, {"gcp:region": "europe-west3"}, "europe-west3 has no API Gateway"),
    ("aws", {"functions": {"jobs": {"concurrency": 1}}}, {}, "functions.jobs.concurrency: 1 messages at a time"),
    ("aws", {"functions": {"predict": {"timeout_seconds": 30}}}, {}, "functions.predict.timeout_seconds: 30"),
    ("aws", {"training": {"parallelism": 41}}, {}, "training.parallelism: found 41"),
    ("aws", {}, {"aws:region": "cn-north-1"}, "cn-north-1 is no region of AWS with every service of a stack"),
    ("aws", {}, {"aws:region": "us-gov-west-1"}, "us-gov-west-1 is no region of AWS with every service of a stack"),
    ("aws", {}, {"aws:region": "us-iso-east-1"}, "us-iso-east-1 is no region of AWS with every service of a stack"),
    ("aws", {"scaling": {"profile": "balanced"}}, {"aws:region": "ap-east-2"}, "ap-east-2 takes no snapshots"),
    *(
        (cloud, {"models": ["breast_cancer", "breast_cancer"]}, {}, "breast_cancer: named twice; name each once")
        for cloud in clouds.names()
    ),
    *(
        (cloud, {"scaling": {"models": {"other": {"profile": "eco"}}}}, {}, 'scaling.models.other: found "other"')
        for cloud in clouds.names()
    ),
    *(
        (
            cloud,
            {"models": ["breast_cancer", "nothing_of_the_kind"]},
            {},
            'Pulumi.test.yaml: serverless-ml:settings -> models[1]: found "nothing_of_the_kind"; '
            "accepted: breast_cancer, diabetes, digits, file_type (the folders in models/ that hold a model.yaml)",
        )
        for cloud in clouds.names()
    ),
]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The resources that a program makes, from the first line of the constructor."""
    begun: list[str] = []
    init = pulumi.Resource.__init__

    def noted(self: pulumi.Resource, t: str, *args: Any, **more: Any) -> None:
        if t != "pulumi:pulumi:Stack":
            begun.append(t)
        init(self, t, *args, **more)

    monkeypatch.setattr(pulumi.Resource, "__init__", noted)
    return begun


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment, and archives that only look like some."""
    for name in (*REGION_VARIABLES, *PROJECT_VARIABLES, "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    monkeypatch.setattr(blueprint.bundle, "archives", lambda *_args, **_more: archives)


def built(cloud: str, changes: Changes, config: Changes) -> None:
    asked = json.dumps({"cloud": cloud, **MINIMAL, **changes})

    def program() -> None:
        settings = Settings.load()
        blueprint.build(clouds.find(settings.cloud), settings)

    deploy(program, config={KEY: asked, **config})


@pytest.mark.parametrize(("cloud", "changes", "config", "sentence"), BAD)
def test_what_cannot_be_is_refused_before_the_first_resource(
    cloud: str, changes: Changes, config: Changes, sentence: str, made: list[str]
) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        built(cloud, changes, config)
    assert sentence in str(refused.value)
    assert made == []


@pytest.mark.parametrize("cloud", clouds.names())
def test_what_is_seen_to_be_made_is_what_a_good_stack_makes(cloud: str, made: list[str]) -> None:
    built(cloud, {}, {})
    assert len(made) > 50


# Whatever the settings accept ------------------------------------------------------------------


def values(kind: Kind) -> list[Any]:
    """Return the least and the most that a setting accepts, or each of the few values that it does."""
    notes = {name: getattr(note, name) for note in kind.notes for name in ("ge", "le") if hasattr(note, name)}
    if notes:
        return [notes["ge"], notes["le"]]
    words = accepted([kind]).split(", ")
    if words == ["true", "false"]:
        return [True, False]
    if words == ["five cron fields", "UTC"]:
        return ["0 3 * * 1", "*/5 * 1 * *"]
    return [int(word) if word.isdecimal() else word for word in words] if str(kind.type).find("Literal") >= 0 else []


def extremes(options: list[Kind]) -> Iterator[dict[str, Any]]:
    """Yield a change for each extreme value of each setting below sections, with the tags that lead there."""
    for kind in options:
        if kind.section is None:
            continue
        tags = {
            name: field.default if isinstance(field.default, str) else values(kinds(field.annotation)[0])[0]
            for name, field in kind.section.model_fields.items()
            if name in ("kind", "profile") and len(options) > 1
        }
        required = {"kind": {"jwt": {"issuer": "https://a", "audience": ["a"]}, "none": {"reason": "as it is a test"}}}
        needed = {key: inner for tag, by in required.items() for key, inner in by.get(tags.get(tag, ""), {}).items()}
        yield {**tags, **needed}
        for name in kind.section.model_fields:
            inside = below([kind], name)
            for change in extremes(inside):
                yield {**tags, **needed, name: change}
            for value in (value for one in inside for value in values(one)):
                yield {**tags, **needed, name: value}


def passes(cloud: str, asked: Changes) -> bool:
    try:
        settings = Settings.parse({"cloud": cloud, **MINIMAL, **asked}, where="")
        budgeting.require(clouds.find(cloud), settings)
        enforce(settings, {}, "test")
    except pulumi.RunError:
        return False
    return True


CHANGES = [change for change in extremes([Kind(type=Settings)]) if change and "host" not in json.dumps(change)]


def test_the_extremes_of_every_kind_of_setting_are_tried() -> None:
    tried = {json.dumps(change) for change in CHANGES}
    assert len(tried) > 80
    for one in ({"jobs": {"attempts": 2}}, {"log_days": 365}, {"functions": {"jobs": {"memory_mb": 10_240}}}):
        assert json.dumps(one) in tried


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("cloud", clouds.names())
def test_what_passes_the_limits_is_drawn_without_a_refusal(cloud: str, backwards: bool, made: list[str]) -> None:
    """As many extremes at once as pass together, those that come first or last: no component refuses any of them."""
    together: Changes = {}
    alone = [change for change in CHANGES if passes(cloud, change)]
    for change in reversed(alone) if backwards else alone:
        if passes(cloud, both := merged(together, change)):
            together = both
    settings = Settings.parse({"cloud": cloud, **MINIMAL, **together}, where="")
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    deploy(lambda: blueprint.draw(clouds.find(cloud), settings, target(settings.runtime), archives))
    assert len(made) > 50
