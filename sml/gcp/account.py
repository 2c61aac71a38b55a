"""GCP, with the credentials that its own tools find."""

from __future__ import annotations

import base64
import json
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from sml.alarm import Alarm, State
from sml.gcp.api import PATIENCE_SECONDS, ask, who
from sml.log_line import LogLine
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.clouds import Way
    from sml.log_line import Fields, Level

TABLE = re.compile(r"[a-z][a-z0-9-]{4,29}\.\w{1,1024}\.\w{1,1024}")
NO_TABLE = "GCP has the bill in BigQuery alone, if the account exports it; accepted: --table PROJECT.DATASET.TABLE"
BILL = """
SELECT service.description AS service,
  SUM(cost) + SUM(IFNULL((SELECT SUM(credit.amount) FROM UNNEST(credits) AS credit), 0)) AS amount,
  currency
FROM `{table}`
WHERE EXISTS (SELECT 1 FROM UNNEST(labels) AS label WHERE label.key = 'stack' AND label.value = @stack)
  AND usage_start_time >= TIMESTAMP(@since) AND usage_start_time < TIMESTAMP(@until)
GROUP BY service, currency
ORDER BY service
"""
BATCH = 100
LARGEST_PAGE = 1000
"""Entries of a log in one answer."""
KEPT_SECONDS = 3650 * 86_400
"""The longest that Cloud Logging keeps a line: https://cloud.google.com/logging/quotas#logs_retention_periods"""
TOKEN_SECONDS = 600
SOURCE = "CloudPubSubDeadLetterSource"
"""The prefix of the attributes by which Pub/Sub names where a dead letter comes from."""
REDRIVEN = "redriven"
"""The attribute by which the stack's topics know a message that is sent back."""


class Account:
    """Workflows, Pub/Sub, Cloud Logging and the service account of the callers."""

    title = "GCP"

    def __init__(self, way: Way | None = None) -> None:
        """`way` leads to the embedded cloud, in place of an account."""
        self._way = way

    def start(self, workflow: str, argument: Mapping[str, Any]) -> str:
        asked = {"argument": json.dumps(dict(argument))}
        started = self._ask("start the workflow", f"workflowexecutions.googleapis.com/v1/{workflow}/executions", asked)
        return started["name"]

    def redrive(self, function: str, dead_letters: str) -> int:
        del function
        what, pubsub = "bring the dead letters back", "pubsub.googleapis.com/v1"
        moved = 0
        while True:
            asked = {"maxMessages": BATCH, "returnImmediately": True}
            received = self._ask(what, f"{pubsub}/{dead_letters}:pull", asked).get("receivedMessages", [])
            if not received:
                return moved
            for one in received:
                attributes = one["message"].get("attributes", {})
                project, name = attributes[f"{SOURCE}SubscriptionProject"], attributes[f"{SOURCE}Subscription"]
                topic = self._ask(what, f"{pubsub}/projects/{project}/subscriptions/{name}")["topic"]
                own = {key: value for key, value in attributes.items() if not key.startswith(SOURCE)}
                message = {"data": one["message"].get("data", ""), "attributes": {**own, REDRIVEN: "true"}}
                self._ask(what, f"{pubsub}/{topic}:publish", {"messages": [message]})
                self._ask(what, f"{pubsub}/{dead_letters}:acknowledge", {"ackIds": [one["ackId"]]})
                moved += 1

    def send(self, function: str, queue: str, message: Mapping[str, Any]) -> None:
        del function
        data = base64.b64encode(json.dumps(dict(message)).encode()).decode()
        self._ask("send the message", f"{queue.removeprefix('https://')}:publish", {"messages": [{"data": data}]})

    def logged(self, place: str, *, since: float, level: Level | None, most: int, fields: Fields = ()) -> list[LogLine]:
        oldest = datetime.fromtimestamp(max(since, time.time() - KEPT_SECONDS), UTC)
        wanted = [f'timestamp>="{oldest.isoformat()}"', *([f"severity>={level.name}"] if level else [])]
        if fields:
            wanted.append(f"({' OR '.join(f'jsonPayload.{name}={json.dumps(value)}' for name, value in fields)})")
        asked = {"resourceNames": [place], "filter": " AND ".join(wanted), "orderBy": "timestamp desc"}
        found: list[LogLine] = []
        token: dict[str, str] = {}
        while len(found) < most:
            size = {"pageSize": min(most - len(found), LARGEST_PAGE)}
            page = self._ask("read the log", "logging.googleapis.com/v2/entries:list", {**asked, **size, **token})
            found += map(_line, page.get("entries", ()))
            if not page.get("nextPageToken"):
                break
            token = {"pageToken": page["nextPageToken"]}
        return found[::-1]

    def signed(self, method: str, url: str, body: bytes, callers: str) -> Mapping[str, str]:
        del method, url, body
        now = int(time.time())
        claims = {"iss": callers, "sub": callers, "aud": callers, "iat": now, "exp": now + TOKEN_SECONDS}
        path = f"iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{callers}:signJwt"
        signed = self._ask("sign a request", path, {"payload": json.dumps(claims)})
        return {"authorization": f"Bearer {signed['signedJwt']}"}

    def bill(
        self, outputs: Mapping[str, Any], stack: str, since: str, until: str, table: str | None
    ) -> list[dict[str, Any]]:
        """Ask the table to which the billing account exports, by BigQuery: https://cloud.google.com/billing/docs."""
        if table is None or not TABLE.fullmatch(table):
            raise Mistake(NO_TABLE if table is None else f"--table: {table!r} is no table; {NO_TABLE}")
        values = {"stack": stack, "since": since, "until": until}
        asked = {
            "query": BILL.format(table=table),
            "useLegacySql": False,
            "timeoutMs": PATIENCE_SECONDS * 1000,
            "parameterMode": "NAMED",
            "queryParameters": [
                {"name": name, "parameterType": {"type": "STRING"}, "parameterValue": {"value": value}}
                for name, value in values.items()
            ],
        }
        project = str(outputs["workflow"]).split("/")[1]
        answer = self._ask("show the bill", f"bigquery.googleapis.com/bigquery/v2/projects/{project}/queries", asked)
        if not answer.get("jobComplete"):
            raise Mistake(f"BigQuery has not read {table} within {PATIENCE_SECONDS} seconds: ask for fewer days")
        rows = ([cell["v"] for cell in row["f"]] for row in answer.get("rows", ()))
        return [{"service": name, "amount": float(amount), "currency": unit} for name, amount, unit in rows]

    def alarms(self, outputs: Mapping[str, Any]) -> list[Alarm]:
        names = dict(outputs.get("alarms") or {})
        if not names:
            return []
        project = str(outputs["workflow"]).split("/")[1]
        policies = self._listed("alertPolicies", project)
        opened = self._listed("alerts", project, filter='state="OPEN"')
        texts = {one["name"].rpartition("/")[2]: one.get("documentation", {}).get("content", "") for one in policies}
        since = {one["policy"]["name"].rpartition("/")[2]: one["openTime"] for one in opened}
        return [_alarm(name, called.rpartition("/")[2], texts, since) for name, called in names.items()]

    def _listed(self, kind: str, project: str, **wanted: str) -> list[dict[str, Any]]:
        """Return all that Cloud Monitoring lists: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alerts."""
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            query = urlencode({"pageSize": LARGEST_PAGE, **wanted, "pageToken": token})
            page = self._ask("show the alarms", f"monitoring.googleapis.com/v3/projects/{project}/{kind}?{query}")
            found += page.get(kind, ())
            if not (token := page.get("nextPageToken", "")):
                return found

    def person(self, outputs: Mapping[str, Any]) -> str | None:
        del outputs
        return who()

    def pages(self, outputs: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        workflow, dead, endpoint = (str(outputs[name]) for name in ("workflow", "jobs_dead_letters", "endpoint"))
        _, project, _, place, _, name = (quote(part, safe="") for part in workflow.split("/"))
        console, of = "https://console.cloud.google.com", f"?project={project}"
        stores = [(store, str(outputs[f"{store}_url"]).partition("://")[2]) for store in ("data", "models", "jobs")]
        subscription = quote(dead.rpartition("/")[2])
        return [
            *((f"{store} store", bucket, f"{console}/storage/browser/{quote(bucket)}{of}") for store, bucket in stores),
            ("workflow", workflow, f"{console}/workflows/workflow/{place}/{name}/executions{of}"),
            ("API", endpoint, f"{console}/api-gateway/api{of}"),
            ("dead letters", dead, f"{console}/cloudpubsub/subscription/detail/{subscription}{of}"),
            ("logs", "Cloud Logging", f"{console}/logs/query{of}"),
            *((("dashboard", "alarms", str(drawn)),) if (drawn := outputs.get("dashboard_url")) else ()),
        ]

    def _ask(self, what: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return ask(what, path, body, way=self._way)


def _alarm(name: str, policy: str, texts: Mapping[str, str], since: Mapping[str, str]) -> Alarm:
    """Return an alarm by its policy's id; one whose policy somebody has deleted is told as such."""
    if policy not in texts:
        return Alarm(name=name, state=State.GONE)
    if policy not in since:
        return Alarm(name=name, state=State.QUIET, text=texts[policy])
    opened = datetime.fromisoformat(since[policy]).timestamp()
    return Alarm(name=name, state=State.FIRING, since=opened, text=texts[policy])


def _line(entry: Mapping[str, Any]) -> LogLine:
    """Return an entry as a line: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry."""
    level, at = str(entry.get("severity", "")), str(entry["timestamp"])
    text = entry.get("textPayload")
    if text is None:
        said = entry.get("jsonPayload") or entry.get("protoPayload") or entry.get("httpRequest") or {}
        text = json.dumps({"time": at, "severity": level, **said}, ensure_ascii=False)
    key = f"{at} {entry.get('insertId', '')}"
    return LogLine(text=str(text).rstrip("\n"), at=datetime.fromisoformat(at).timestamp(), level=level, key=key)
