"""The dead letters of a queue of SQS.

The emulator has no StartMessageMoveTask, so they are received, sent and deleted one by one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from localcloud.engine.dead_letters import DeadLetter

HIDDEN_SECONDS = 60
AT_ONCE = 10
KEPT = ("StringValue", "BinaryValue", "DataType")


class DeadLetters:
    """The dead letters at the URL `dead`. Raises `LookupError` when they are no queue's."""

    def __init__(self, sqs: Any, dead: str) -> None:
        self._sqs = sqs
        self._dead = dead
        self._source = self._find()

    def count(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self._dead, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def take(self) -> Sequence[DeadLetter]:
        found = self._sqs.receive_message(
            QueueUrl=self._dead,
            MaxNumberOfMessages=AT_ONCE,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
        )
        return [
            DeadLetter(identity=message["MessageId"], receipt=message["ReceiptHandle"], content=message)
            for message in found.get("Messages", [])
        ]

    def send(self, letter: DeadLetter) -> None:
        attributes = {
            name: {part: value for part, value in attribute.items() if part in KEPT}
            for name, attribute in letter.content.get("MessageAttributes", {}).items()
        }
        self._sqs.send_message(QueueUrl=self._source, MessageBody=letter.content["Body"], MessageAttributes=attributes)

    def drop(self, letter: DeadLetter) -> None:
        self._sqs.delete_message(QueueUrl=self._dead, ReceiptHandle=letter.receipt)

    def _find(self) -> str:
        """The queue whose redrive policy names this one."""
        arn = self._attribute(self._dead, "QueueArn")
        for page in self._sqs.get_paginator("list_queues").paginate():
            for url in page.get("QueueUrls", []):
                policy = json.loads(self._attribute(url, "RedrivePolicy") or "{}")
                if policy.get("deadLetterTargetArn") == arn:
                    return url
        raise LookupError(f"{self._dead} holds the dead letters of no queue")

    def _attribute(self, url: str, name: str) -> str | None:
        return self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name]).get("Attributes", {}).get(name)
