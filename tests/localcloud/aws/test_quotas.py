"""The embedded AWS with a new account's quotas: it refuses what Lambda refuses, and takes the sizes for trying out."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra import blueprint
from infra.archive import Archive, Platform
from infra.aws import CLOUD
from infra.function_table import FUNCTIONS
from infra.settings import Settings
from localcloud.aws import Aws
from localcloud.engine.engine import ResourceFailed
from localcloud.engine.stack_file import StackFile
from tests.infra.test_quotas import BEFORE
from tests.localcloud.conftest import AwsLab
from tests.localcloud.on_aws import function

PLATFORM = Platform(python=f"3.{sys.version_info.minor}", architecture="x86_64", wheels=None)
NEW = {"ConcurrentExecutions": 10, "MemorySize": 3008}
RESERVED = (
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its"
)


def stack(tmp_path: Path, document: dict[str, Any]) -> Callable[[], object]:
    """Return the whole blueprint with functions that do nothing."""
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("main.py", "def handle(event, context):\n    return {}\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    archives = {
        spec.name: Archive(path=path, digest=digest, size=path.stat().st_size, unpacked=100) for spec in FUNCTIONS
    }
    settings = Settings.parse({"cloud": "aws", "models": ["breast_cancer"], **document}, where="")
    return lambda: blueprint.draw(CLOUD, settings, PLATFORM, archives)


def of(name: str) -> dict[str, Any]:
    return json.loads(StackFile.read(name).get("serverless-ml:settings", "{}"))


@pytest.fixture
def account(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def with_quotas(**quotas: int) -> None:
        monkeypatch.setattr(aws.session, "quotas", quotas)

    return with_quotas


def test_a_new_account_takes_the_stack_for_trying_out(aws_lab: AwsLab, account: Any, tmp_path: Path) -> None:
    account(**NEW)
    aws_lab.deploy(stack(tmp_path, of("dev")))
    functions = [r for r in aws_lab.engine.resources if r.declared.type == "aws:lambda/function:Function"]
    assert len(functions) == len([spec for spec in FUNCTIONS if not spec.stops])


@pytest.mark.parametrize(("quota", "minimum"), [(10, 10), (100, 100)])
def test_an_account_that_must_keep_its_copies_free_refuses_eighty_one_reserved(
    aws_lab: AwsLab, account: Any, tmp_path: Path, quota: int, minimum: int
) -> None:
    account(ConcurrentExecutions=quota)
    with pytest.raises(ResourceFailed) as refused:
        aws_lab.deploy(stack(tmp_path, BEFORE))
    assert f"{RESERVED} minimum value of [{minimum}]." in str(refused.value)
    assert "PutFunctionConcurrency" in str(refused.value)


def test_what_is_refused_is_not_left_behind(aws_lab: AwsLab, account: Any) -> None:
    account(ConcurrentExecutions=10)
    with pytest.raises(ResourceFailed, match=r"minimum value of \[10\]"):
        aws_lab.deploy(lambda: function("def handle(event, context): ...", reserved=1))
    names = [found["FunctionName"] for found in aws_lab.client("lambda").list_functions()["Functions"]]
    assert not [name for name in names if name.startswith("f-")]


def test_what_others_have_reserved_counts_and_what_was_reserved_before_does_not(aws_lab: AwsLab, account: Any) -> None:
    def two(first: int, second: int) -> Callable[[], object]:
        def program() -> None:
            function("def handle(event, context): ...", reserved=first)
            function("def handle(event, context): ...", reserved=second, name="g")

        return program

    account(ConcurrentExecutions=110)
    aws_lab.deploy(two(4, 6))
    aws_lab.deploy(two(4, 5))
    with pytest.raises(ResourceFailed, match=r"minimum value of \[100\]"):
        aws_lab.deploy(two(4, 7))


def test_a_function_with_more_memory_than_a_new_account_gives_is_refused(aws_lab: AwsLab, account: Any) -> None:
    account(**NEW)
    aws_lab.deploy(lambda: function("def handle(event, context): ...", memory_mb=3008))
    for _ in ("as changed", "as created"):
        with pytest.raises(
            ResourceFailed, match="'memorySize' failed to satisfy constraint: Member must have value less"
        ):
            aws_lab.deploy(lambda: function("def handle(event, context): ...", memory_mb=3072))
        aws_lab.deploy(lambda: None)


def test_without_quotas_nothing_is_refused(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: function("def handle(event, context): ...", reserved=5000, memory_mb=10_240))


@pytest.mark.integration
def test_the_emulator_has_as_many_copies_as_the_account(tmp_path: Path) -> None:
    quotas = {"localcloud:quotas": json.dumps(NEW), "aws:region": "eu-west-1"}
    named = StackFile(project="serverless-ml", name="tests", config=quotas)
    cloud = Aws(named, tmp_path, port=0, progress=lambda _: None)
    try:
        limit = cloud.session.client("lambda").get_account_settings()["AccountLimit"]
    finally:
        cloud.stop()
    assert (limit["ConcurrentExecutions"], cloud.session.quotas) == (10, NEW)
