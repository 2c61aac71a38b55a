"""The stacks that come with the project: each says what it must, and its cloud keeps it."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pulumi
import pytest
import yaml

from infra import clouds
from infra.chosen_models import JOINED_AFTER
from infra.limits import enforce
from infra.settings import Settings
from infra.tier import Tier
from localcloud.engine.program import evaluate
from localcloud.engine.recorder import Recorder
from localcloud.engine.stack_file import NEEDED, ROOT, StackFile
from models.labels import Labels

NAMES = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
KEEPS = {"prod", "gcp-prod"}


def settings(name: str) -> Settings:
    stack = StackFile.read(name)
    return Settings.parse(json.loads(stack.get("serverless-ml:settings", "{}")), where=f"Pulumi.{name}.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_keeps_the_limits_of_its_cloud(name: str) -> None:
    enforce(settings(name), {}, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_names_its_region_and_no_other_clouds(name: str) -> None:
    cloud = settings(name).cloud
    providers = {key.partition(":")[0] for key in StackFile.read(name).config} - {"serverless-ml"}
    assert providers == {cloud}
    assert StackFile.read(name).get(f"{cloud}:region", "")


@pytest.mark.parametrize("name", NAMES)
def test_production_keeps_its_data_and_nothing_else_does(name: str) -> None:
    assert settings(name).protect is (name in KEEPS)


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_keeps_captured_rows_until_the_truths_of_them_are_joined(name: str) -> None:
    assert settings(name).capture.inputs > 0
    assert settings(name).capture.days >= Labels().horizon_days + JOINED_AFTER


@pytest.mark.parametrize("cloud", clouds.names())
def test_a_cloud_has_a_stack_to_try_and_by_its_tier_one_to_rely_on_and_one_for_this_machine(cloud: str) -> None:
    kinds = {Tier.PREVIEW: "dev", Tier.DEPLOYABLE: "prod", Tier.EMBEDDED: "local"}
    stacks = {name for name in NAMES if settings(name).cloud == cloud}
    promised = {kind for tier, kind in kinds.items() if clouds.find(cloud).tier.includes(tier)}
    assert {name.rpartition("-")[2] for name in stacks} >= promised


@pytest.mark.parametrize("kind", ["dev", "prod", "local"])
def test_stacks_of_one_kind_differ_only_in_what_their_cloud_makes_them(kind: str) -> None:
    """What differs: the cloud, its processors' sizes, and what one of them does not offer."""
    aws, gcp = settings(kind).model_dump(), settings(f"gcp-{kind}").model_dump()
    for stack in (aws, gcp):
        del stack["cloud"], stack["functions"]["predict"]["memory_mb"], stack["runtime"]["architecture"]
        del stack["api"]["throttling"]["burst"]
    assert aws == gcp


def template() -> dict[str, Any]:
    """Return what `pulumi new` asks for. It takes the section out of a project that it makes."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    if "template" not in project:
        pytest.skip("made by `pulumi new`, and no template itself")
    return project["template"]["config"]


def test_a_new_project_is_asked_for_what_each_cloud_needs_that_it_can_be_deployed_to() -> None:
    assert {key.partition(":")[0] for key in template()} == set(clouds.of(Tier.DEPLOYABLE))
    assert all(question["description"] and "default" in question for question in template().values())


def test_a_new_project_is_asked_for_nothing_that_its_provider_does_not_read() -> None:
    for key in template():
        provider, _, name = key.partition(":")
        assert hasattr(importlib.import_module(f"pulumi_{provider}.config"), name), key
    assert {f"{cloud}:region" for cloud in clouds.of(Tier.DEPLOYABLE)} <= template().keys()


@pytest.mark.parametrize("name", ["dev", "gcp-dev"])
def test_the_program_reads_no_value_of_the_configuration_but_those_that_must_not_be_encrypted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any other value that is encrypted, a preview without the CLI has a placeholder."""
    asked: set[str] = set()
    full_key = pulumi.Config.full_key

    def noted(config: pulumi.Config, key: str) -> str:
        asked.add(full_key(config, key))
        return full_key(config, key)

    monkeypatch.setattr(pulumi.Config, "full_key", noted)
    evaluate(StackFile.read(name), Recorder(), ROOT / "infra", dry_run=True)
    looked_for = {f"serverless-ml:{field}" for field in Settings.model_fields}
    cloud = settings(name).cloud
    assert asked - looked_for == {key for key in NEEDED if key.partition(":")[0] in ("serverless-ml", "pulumi", cloud)}
