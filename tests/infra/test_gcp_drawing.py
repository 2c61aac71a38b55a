from __future__ import annotations

from dataclasses import replace
from functools import cache

import pulumi

from infra import blueprint
from infra.gcp import CLOUD
from infra.settings import Settings
from tests.graph import Graph, deploy
from tests.infra import sample
from tests.infra.gcp_breakages import READER


class NotBuilt:
    """A word that GCP does not keep yet: it makes nothing."""

    def __init__(self, name: str, _args: object, _opts: pulumi.ResourceOptions | None = None) -> None:
        self.ref = pulumi.Output.from_input(name)


@cache
def drawn() -> Graph:
    """The whole drawing, as far as GCP carries it."""
    settings = Settings.parse({"cloud": "gcp", "models": ["breast_cancer", "another"]}, where="Pulumi.test.yaml")
    cloud = replace(CLOUD, workflow=NotBuilt, arrival=NotBuilt, schedule=NotBuilt)
    archives = {entry: sample.archive(entry) for entry in blueprint.ENTRIES}
    return deploy(lambda: blueprint.draw(cloud, settings, sample.PLATFORM, archives))


def test_every_function_of_the_drawing_has_its_own_identity() -> None:
    facts = READER.read(drawn())
    assert {function.name for function in facts.functions} == set(blueprint.ENTRIES)
    assert len({function.identity for function in facts.functions}) == len(blueprint.ENTRIES)


def test_the_drawing_allows_nothing_without_bounds() -> None:
    facts = READER.read(drawn())
    assert facts.boundless == ()
    assert {permission.function for permission in facts.permissions} == set(blueprint.ENTRIES)
    assert "" not in {permission.prefix for permission in facts.permissions}


def test_every_condition_of_the_drawing_can_be_evaluated() -> None:
    conditions = [
        made.inputs["condition"]["expression"] for made in drawn().of("gcp:storage/bucketIAMMember:BucketIAMMember")
    ]
    assert max(text.count("||") for text in conditions) <= 12


def test_every_route_of_the_drawing_asks_for_a_token() -> None:
    (api,) = READER.read(drawn()).apis
    assert set(api.authorised.values()) == {True}


def test_every_account_fits_into_the_name_that_google_allows() -> None:
    # 6 to 30 characters, of which Pulumi adds a hyphen and seven.
    names = [made.name for made in drawn().of("gcp:serviceaccount/account:Account")]
    assert max(len(name) for name in names) <= 30 - 8
