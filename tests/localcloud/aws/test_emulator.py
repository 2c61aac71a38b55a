"""The emulator of AWS itself. How an embedded cloud ends is in test_life.py."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.aws import Aws, interpreter
from localcloud.aws.emulator import Emulator
from localcloud.engine.cloud import CloudFailed
from tests.localcloud.conftest import AwsLab
from tests.localcloud.on_aws import function


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(interpreter(), tmp_path, region="eu-west-1") as running:
        yield running


@pytest.mark.integration
def test_an_emulator_that_does_not_start_is_reported_with_its_last_output(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no such module >&2\nexit 3\n", encoding="utf-8")
    python.chmod(0o755)
    with pytest.raises(CloudFailed, match="ended with code 3") as failure:
        Emulator(python, tmp_path, region="eu-west-1").start()
    assert "no such module" in str(failure.value)


def test_a_missing_installation_is_reported_with_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(CloudFailed, match=r"nowhere/python does not exist; `make up` installs it"):
        Emulator(Path("nowhere/python"), tmp_path, region="eu-west-1").start()


@pytest.mark.integration
def test_two_stand_side_by_side_and_know_nothing_of_each_other(emulator: Emulator, tmp_path: Path) -> None:
    with Emulator(interpreter(), tmp_path / "other", region="eu-west-1") as other:
        assert other.port != emulator.port
        assert other.certificate.read_bytes() != emulator.certificate.read_bytes()


@pytest.mark.integration
def test_it_listens_on_one_port_of_the_loopback_address(emulator: Emulator) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    inodes = {
        str(link.readlink())[8:-1]
        for link in Path(f"/proc/{emulator.pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{emulator.pid}/net/{table}").read_text(encoding="utf-8").splitlines()[1:]
    ]
    listening = {row[1] for row in rows if row[3] == "0A" and row[9] in inodes}
    loopback = socket.inet_aton("127.0.0.1")[::-1].hex().upper()
    assert listening == {f"{loopback}:{emulator.port:04X}"}


def test_its_temporary_files_are_in_its_own_workspace(aws_lab: AwsLab, aws: Aws) -> None:
    aws_lab.deploy(lambda: function("import tempfile\ndef handle(event, context):\n    return tempfile.gettempdir()\n"))
    assert Path(aws_lab.invoke(aws_lab.outputs["live"])).is_relative_to(aws.log.parent)
