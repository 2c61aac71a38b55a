"""The emulator of AWS itself. How an embedded cloud ends is in test_life.py."""

from __future__ import annotations

import http.client
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from localcloud.aws import Aws, interpreter
from localcloud.aws.emulator import Emulator, Root
from localcloud.aws.session import ACCOUNT, Session
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


@pytest.mark.parametrize("key", ["test", ACCOUNT, "123456789012"])
def test_only_who_has_this_runs_key_is_the_root_user(aws: Aws, key: str) -> None:
    guess = Session(
        endpoint=aws.session.endpoint,
        certificate=aws.session.certificate,
        region=aws.session.region,
        key=key,
        secret=key,
    )
    for service, ask in (("s3", "list_buckets"), ("lambda", "list_functions"), ("sts", "get_caller_identity")):
        with pytest.raises(ClientError, match=r"InvalidAccessKeyId|UnrecognizedClient|InvalidClientTokenId"):
            getattr(guess.client(service), ask)()
    assert aws.session.client("sts").get_caller_identity()["Arn"].endswith(":root")


def test_the_key_of_the_root_user_is_new_for_each_run_and_written_nowhere(aws: Aws) -> None:
    key, secret = Root().key, Root().secret
    assert (key, secret) != (Root().key, Root().secret)
    log = aws.log.read_text(encoding="utf-8", errors="replace")
    assert aws.session.credentials["access_key_id"] not in log
    assert aws.session.credentials["access_key_id"] not in repr(Root())


@pytest.mark.parametrize("path", ["reset", "config", "sqs/messages"])
def test_the_emulators_own_paths_answer_nobody(aws: Aws, path: str) -> None:
    address, certificate = urlsplit(aws.session.endpoint).netloc, str(aws.session.certificate)
    connection = http.client.HTTPSConnection(address, context=ssl.create_default_context(cafile=certificate))
    try:
        connection.request("POST", f"/_ministack/{path}", b"{}")
        assert connection.getresponse().status == 404
    finally:
        connection.close()
