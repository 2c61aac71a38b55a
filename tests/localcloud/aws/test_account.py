"""What `sml` asks of an account of AWS, answered by the embedded one through the cloud's own clients."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import boto3
import pytest

from localcloud.aws import Aws
from localcloud.aws.session import Session
from sml.aws.account import Account
from sml.log_line import Level
from sml.mistake import Mistake
from tests.localcloud import on_aws
from tests.localcloud.conftest import AwsLab


def be(session: Session, patch: pytest.MonkeyPatch) -> None:
    """Have clients of AWS find this caller, and the embedded cloud in place of AWS, in the environment."""
    found: Mapping[str, str] = {
        "AWS_ACCESS_KEY_ID": session.credentials["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": session.credentials["secret_access_key"],
        "AWS_SESSION_TOKEN": session.credentials.get("token", ""),
        "AWS_ENDPOINT_URL": session.endpoint,
        "AWS_CA_BUNDLE": str(session.certificate),
    }
    for name, value in found.items():
        patch.setenv(name, value)
    # It keeps the credentials that it found first.
    patch.setattr(boto3, "DEFAULT_SESSION", None)


def test_the_newest_lines_of_a_log_group_are_read(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    logs, now = aws.session.client("logs"), time.time()
    logs.create_log_group(logGroupName="read-by-sml")
    lines = [(7300, "ERROR"), (90, "INFO"), (1, "ERROR")]
    for stream, (before, level) in enumerate(lines):
        name = f"copy-{stream}"
        logs.create_log_stream(logGroupName="read-by-sml", logStreamName=name)
        event = {"timestamp": int((now - before) * 1000), "message": json.dumps({"level": level, "event": name})}
        logs.put_log_events(logGroupName="read-by-sml", logStreamName=name, logEvents=[event])
    be(aws.session, monkeypatch)
    place = aws.session.arn("logs", "log-group:read-by-sml")

    def read(since: float, level: Level | None, most: int) -> list[str]:
        found = Account().logged(place, since=since, level=level, most=most)
        assert len({one.key for one in found}) == len(found)
        return [one.document["message"]["event"] for one in found]

    assert read(0, None, 9) == ["copy-0", "copy-1", "copy-2"]
    assert read(0, None, 2) == ["copy-1", "copy-2"]
    assert read(now - 3600, None, 9) == ["copy-1", "copy-2"]
    assert read(0, Level.ERROR, 9) == ["copy-0", "copy-2"]
    with pytest.raises(Mistake, match="AWS refused to read the log: ResourceNotFoundException"):
        Account().logged(f"{place}-gone", since=0, level=None, most=1)


def test_a_message_reaches_the_queue(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    queues = aws.session.client("sqs")
    queues.create_queue(QueueName="sent-by-sml")
    be(aws.session, monkeypatch)
    url = f"https://sqs.{aws.session.region}.amazonaws.com/{aws.session.account}/sent-by-sml"
    Account().send("labels", url, {"label": "benign"})
    received = queues.receive_message(QueueUrl=queues.get_queue_url(QueueName="sent-by-sml")["QueueUrl"])
    assert [json.loads(one["Body"]) for one in received["Messages"]] == [{"label": "benign"}]


def test_a_permission_that_is_missing_is_named(aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    iam = aws_lab.client("iam")
    role = iam.create_role(RoleName="reads-nothing", AssumeRolePolicyDocument=on_aws.trust("lambda.amazonaws.com"))
    be(aws_lab.as_role(role["Role"]["Arn"]), monkeypatch)
    with pytest.raises(Mistake, match=r"AWS refused to read the log: AccessDenied.*logs:FilterLogEvents"):
        Account().logged(aws_lab.cloud.session.arn("logs", "log-group:x"), since=0, level=None, most=1)
