"""AWS, with the credentials that its own tools find."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from sml.mistake import Mistake, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSED = ("AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken", "ExpiredTokenException")
NO_TAG = (
    "Cost Explorer knows no cost with the tag stack={stack}: the account has to activate the tag `stack` for cost"
    " allocation, and a bill begins a day after"
)
REFUSED_TOKENS = ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch")


class Account:
    """Step Functions and SQS."""

    title = "AWS"

    def start(self, workflow: str, argument: Mapping[str, Any]) -> str:
        with refusals("start the workflow"):
            states = boto3.client("stepfunctions", region_name=workflow.split(":")[3])
            return states.start_execution(stateMachineArn=workflow, input=json.dumps(dict(argument)))["executionArn"]

    def redrive(self, dead_letters: str) -> int:
        with refusals("bring the dead letters back"):
            queues = boto3.client("sqs", region_name=dead_letters.split(".")[1])
            asked = ["QueueArn", "ApproximateNumberOfMessages"]
            facts = queues.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=asked)["Attributes"]
            waiting = int(facts["ApproximateNumberOfMessages"])
            if waiting:
                queues.start_message_move_task(SourceArn=facts["QueueArn"])
            return waiting

    def signed(self, method: str, url: str, body: bytes, callers: str) -> Mapping[str, str]:
        region = callers.split(":")[3]
        with refusals("sign a request"):
            credentials = boto3.Session().get_credentials()
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
        ]


@contextmanager
def refusals(what: str) -> Generator[None]:
    """Raise `Unreachable` for credentials that are missing or do not suffice, and `Mistake` for what AWS refuses."""
    try:
        yield
    except ClientError as refused:
        error = refused.response.get("Error", {})
        text = f"AWS refused to {what}: {error.get('Code')}: {' '.join(str(error.get('Message', '')).split())[:300]}"
        known = error.get("Code") in (*REFUSED, *REFUSED_TOKENS)
        raise (Unreachable(text) if known else Mistake(text)) from None
    except BotoCoreError as problem:
        raise Unreachable(f"AWS could not be asked to {what}: {' '.join(str(problem).split())[:300]}") from None
