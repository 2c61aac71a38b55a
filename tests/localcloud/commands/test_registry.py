from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.commands import registry
from localcloud.commands.progress import Progress
from localcloud.engine.cloud import CloudFailed
from tests.functions.test_upgrade import WRITTEN
from tests.localcloud.staged import Staged


@pytest.mark.integration
def test_the_registry_at_a_url_is_verified_without_a_stack(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    url = f"file://{WRITTEN / 'models'}"
    assert registry.main(Progress(), tmp_path, "verify", None, url, repair=False, champion=None) == 0
    printed = capfd.readouterr().out
    assert "whole     fruit: 32 objects, 2 versions, 3 runs; live is 18ef0b38ed5a16f3" in printed
    assert registry.main(Progress(), tmp_path, "verify", "nobody", url, repair=False, champion=None) == 2
    assert "failed    there is no model nobody; in the store: fruit, pair" in capfd.readouterr().out


def test_a_champion_without_a_repair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CloudFailed, match="it goes with --repair"):
        registry.main(Progress(), tmp_path, "verify", "m", "memory://", repair=False, champion="0123456789abcdef")


def test_where_no_stack_is_up_the_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(CloudFailed, match="no stack is up here"):
        registry.main(Progress(), tmp_path, "verify", None, None, repair=False, champion=None)


def test_before_the_first_deployment_there_is_no_registry() -> None:
    with pytest.raises(CloudFailed, match="nothing is deployed yet"):
        registry.entrance(Staged({}).stack)
