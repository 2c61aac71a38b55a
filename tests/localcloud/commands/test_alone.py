from __future__ import annotations

import os
from pathlib import Path

import pytest

from localcloud.commands.alone import OWNER, alone
from localcloud.engine.cloud import CloudFailed


def test_a_second_one_in_a_folder_is_refused_by_the_number_of_the_first(tmp_path: Path) -> None:
    with alone(tmp_path):
        with (
            pytest.raises(CloudFailed, match=rf"up here already, in process {os.getpid()} .*--state FOLDER"),
            alone(tmp_path),
        ):
            raise AssertionError
        assert (tmp_path / OWNER).exists()
    with alone(tmp_path):
        assert (tmp_path / OWNER).read_text(encoding="utf-8") == f"{os.getpid()}\n"
    assert not (tmp_path / OWNER).exists()


def test_what_a_killed_one_left_refuses_nobody(tmp_path: Path) -> None:
    (tmp_path / OWNER).write_text("1\n", encoding="utf-8")
    with alone(tmp_path):
        pass


def test_folders_of_state_do_not_know_each_other(tmp_path: Path) -> None:
    with alone(tmp_path / "one"), alone(tmp_path / "two"):
        pass
