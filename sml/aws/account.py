"""AWS, with the credentials that its own tools find."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from sml.alarm import Alarm, State
from sml.log_line import FAILED, LogLine, read
from sml.mistake import Mistake, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sml.clouds import Way
    from sml.log_line import Fields, Level

NO_TAG = (
    "Cost Explorer knows no cost with the tag stack={stack}: the account has to activate the tag `stack` for cost"
    " allocation, and a bill begins a day after"
)
UNKNOWN = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""What AWS answers where it does not know who asks."""
STATES = {"ALARM": State.FIRING, "OK": State.QUIET}
AT_ONCE = 100
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"""
SPANS = (600, 7200, 86_400, 14 * 86_400)
"""Seconds to look back for the newest lines, one after the other: CloudWatch tells the oldest ones of a time first."""


class Account:
    """Step Functions, SQS and CloudWatch Logs."""

    title = "AWS"

    def __init__(self, way: Way | None = None) -> None:
        """`way` leads to the embedded cloud, in place of an account."""
        self._way = way

    def start(self, workflow: str, argument: Mapping[str, Any]) -> str:
        with refusals("start the workflow"):
            states = boto3.client("stepfunctions", region_name=workflow.split(":")[3])
            return states.start_execution(stateMachineArn=workflow, input=json.dumps(dict(argument)))["executionArn"]

    def redrive(self, function: str, dead_letters: str) -> int:
        del function
        with refusals("bring the dead letters back"):
            queues = boto3.client("sqs", region_name=dead_letters.split(".")[1])
            asked = ["QueueArn", "ApproximateNumberOfMessages"]
            facts = queues.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=asked)["Attributes"]
            waiting = int(facts["ApproximateNumberOfMessages"])
            if waiting:
                queues.start_message_move_task(SourceArn=facts["QueueArn"])
            return waiting

    def send(self, function: str, queue: str, message: Mapping[str, Any]) -> None:
        del function
        with refusals("send the message"):
            queues = boto3.client("sqs", region_name=queue.split(".")[1])
            queues.send_message(QueueUrl=queue, MessageBody=json.dumps(dict(message)))

    def logged(self, place: str, *, since: float, level: Level | None, most: int, fields: Fields = ()) -> list[LogLine]:
        *_, region, _, _, group = place.split(":", 6)
        found: list[LogLine] = []
        now, end = time.time(), None
        with refusals("read the log"):
            logs = boto3.client("logs", region_name=region)
            for oldest in (*(now - span for span in SPANS), 0.0):
                start = int(max(since, oldest) * 1000)
                asked = {"logGroupName": group, "startTime": start, "filterPattern": _pattern(level, fields)}
                older = deque(_events(logs, asked if end is None else {**asked, "endTime": end}), maxlen=most)
                lines = [line for line in older if line.matters(level, since)]
                found, end = [*lines, *found][-most:], start - 1
                if len(found) == most or start <= since * 1000:
                    break
        return found

    def signed(self, method: str, url: str, body: bytes, callers: str) -> Mapping[str, str]:
        region = callers.split(":")[3]
        with refusals("sign a request"):
            credentials = boto3.Session(**_keys(self._way)).get_credentials()
            if credentials is None:
                raise Unreachable("there are no credentials of AWS, and the stack's API asks for them (auth: iam)")
            request = AWSRequest(method=method, url=url, data=body, headers={"content-type": "application/json"})
            SigV4Auth(credentials, "execute-api", region).add_auth(request)
            return dict(request.headers.items())

    def bill(
        self, outputs: Mapping[str, Any], stack: str, since: str, until: str, table: str | None
    ) -> list[dict[str, Any]]:
        """Ask Cost Explorer, whose one address is in us-east-1, for what has the tag of the stack."""
        del outputs
        if table is not None:
            raise Mistake("--table is for GCP: AWS has the bill in Cost Explorer")
        asked: dict[str, Any] = {
            "TimePeriod": {"Start": since, "End": until},
            "Granularity": "MONTHLY",
            "Metrics": ["UnblendedCost"],
            "Filter": {"Tags": {"Key": "stack", "Values": [stack]}},
            "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
        }
        amounts: dict[tuple[str, str], float] = {}
        with refusals("show the bill"):
            explorer = boto3.client("ce", region_name="us-east-1")
            while True:
                page = explorer.get_cost_and_usage(**asked)
                for group in (group for period in page["ResultsByTime"] for group in period["Groups"]):
                    cost = group["Metrics"]["UnblendedCost"]
                    key = group["Keys"][0], cost["Unit"]
                    amounts[key] = amounts.get(key, 0.0) + float(cost["Amount"])
                if not (token := page.get("NextPageToken")):
                    break
                asked["NextPageToken"] = token
        if not amounts:
            raise Mistake(NO_TAG.format(stack=stack))
        return [{"service": name, "amount": amounts[name, unit], "currency": unit} for name, unit in sorted(amounts)]

    def alarms(self, outputs: Mapping[str, Any]) -> list[Alarm]:
        names = dict(outputs.get("alarms") or {})
        if not names:
            return []
        found: dict[str, Mapping[str, Any]] = {}
        with refusals("show the alarms"):
            watch = boto3.client("cloudwatch", region_name=str(outputs["workflow"]).split(":")[3])
            called = list(names.values())
            for start in range(0, len(called), AT_ONCE):
                asked = called[start : start + AT_ONCE]
                page = watch.describe_alarms(AlarmNames=asked, AlarmTypes=["MetricAlarm"], MaxRecords=AT_ONCE)
                found |= {one["AlarmName"]: one for one in page["MetricAlarms"]}
        return [_alarm(name, found.get(called)) for name, called in names.items()]

    def person(self, outputs: Mapping[str, Any]) -> str | None:
        with refusals("say who you are"):
            return boto3.client("sts", region_name=str(outputs["workflow"]).split(":")[3]).get_caller_identity()["Arn"]

    def pages(self, outputs: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        workflow, dead, endpoint = (str(outputs[name]) for name in ("workflow", "jobs_dead_letters", "endpoint"))
        region = workflow.split(":")[3]
        console, within = f"https://{region}.console.aws.amazon.com", f"home?region={region}#"
        stores = [(name, str(outputs[f"{name}_url"]).partition("://")[2]) for name in ("data", "models", "jobs")]
        api = quote(endpoint.partition("://")[2].partition(".")[0])
        return [
            *((f"{name} store", bucket, f"{console}/s3/buckets/{quote(bucket)}") for name, bucket in stores),
            ("workflow", workflow, f"{console}/states/{within}/statemachines/view/{quote(workflow, safe='')}"),
            ("API", endpoint, f"{console}/apigateway/main/develop/routes?api={api}&region={region}"),
            ("dead letters", dead, f"{console}/sqs/v3/{within}/queues/{quote(dead, safe='')}"),
            ("logs", "CloudWatch", f"{console}/cloudwatch/{within}logsV2:log-groups"),
            *((("dashboard", "alarms", str(drawn)),) if (drawn := outputs.get("dashboard_url")) else ()),
        ]


def _alarm(name: str, found: Mapping[str, Any] | None) -> Alarm:
    """Return an alarm as CloudWatch tells it; one that somebody has deleted is told as such."""
    if found is None:
        return Alarm(name=name, state=State.GONE)
    state = STATES.get(found["StateValue"], State.NO_DATA)
    since = found["StateUpdatedTimestamp"].timestamp() if state is State.FIRING else None
    return Alarm(name=name, state=state, since=since, text=str(found.get("AlarmDescription", "")))


def _keys(way: Way | None) -> dict[str, str]:
    """Return the credentials of the embedded cloud; none for what is found in the environment."""
    names = ("access_key_id", "secret_access_key")
    return {} if way is None else {f"aws_{name}": str(way.options[name]) for name in names}


def _events(logs: Any, asked: Mapping[str, Any]) -> Iterator[LogLine]:
    """Yield the lines that CloudWatch tells of, page by page, the oldest first."""
    token: dict[str, str] = {}
    while True:
        page = logs.filter_log_events(**asked, **token)
        for event in page["events"]:
            yield read(event["message"], event["timestamp"] / 1000, event["eventId"])
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def _pattern(level: Level | None, fields: Fields) -> str:
    """Return the filter for lines of a level and above: ours, Lambda's own, and its reports of calls that failed.

    Without a level, for those that have one of the fields.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    if level is None:
        return _any_of(fields)
    wanted = [(field, name) for field in ("level", "log_level") for name in level.and_above]
    wanted += [("record.status", how) for how in sorted(FAILED)]
    return _any_of(wanted)


def _any_of(fields: Iterable[tuple[str, str]]) -> str:
    asked = " || ".join(f"($.{field} = {json.dumps(value)})" for field, value in fields)
    return f"{{ {asked} }}" if asked else ""


@contextmanager
def refusals(what: str) -> Generator[None]:
    """Raise `Unreachable` for credentials that are missing or do not suffice, and `Mistake` for what AWS refuses."""
    try:
        yield
    except ClientError as refused:
        error = refused.response.get("Error", {})
        text = f"AWS refused to {what}: {error.get('Code')}: {' '.join(str(error.get('Message', '')).split())[:300]}"
        raise (Unreachable(text) if error.get("Code") in UNKNOWN else Mistake(text)) from None
    except BotoCoreError as problem:
        raise Unreachable(f"AWS could not be asked to {what}: {' '.join(str(problem).split())[:300]}") from None
