"""The dead letters of an SQS queue.

The emulator has no StartMessageMoveTask, so messages are received, sent and deleted one by one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from localcloud.engine.dead_letters import DeadLetter

HIDDEN_SECONDS = 60
BATCH = 10
ATTRIBUTE_PARTS = ("StringValue", "BinaryValue", "DataType")


class DeadLetters:
    """The messages in the dead-letter queue at `url`. Raises `LookupError` when no queue's redrive policy names it."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._source = self._source_queue()

    def count(self) -> int:
        """Return their number, including those that are received and not yet deleted."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def take(self) -> Sequence[DeadLetter]:
        """Receive up to `BATCH` of them, hidden from others for `HIDDEN_SECONDS`."""
        response = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
        )
        return [
            DeadLetter(identity=message["MessageId"], receipt=message["ReceiptHandle"], content=message)
            for message in response.get("Messages", [])
        ]

    def send(self, letter: DeadLetter) -> None:
        """Send its body and its message attributes to the queue it came from."""
        attributes = {
            name: {part: value for part, value in attribute.items() if part in ATTRIBUTE_PARTS}
            for name, attribute in letter.content.get("MessageAttributes", {}).items()
        }
        self._sqs.send_message(QueueUrl=self._source, MessageBody=letter.content["Body"], MessageAttributes=attributes)

    def drop(self, letter: DeadLetter) -> None:
        """Delete it from the dead-letter queue."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)

    def _source_queue(self) -> str:
        """Return the URL of the queue whose redrive policy names this one."""
        arn = self._attribute(self._url, "QueueArn")
        for page in self._sqs.get_paginator("list_queues").paginate():
            for url in page.get("QueueUrls", []):
                policy = json.loads(self._attribute(url, "RedrivePolicy") or "{}")
                if policy.get("deadLetterTargetArn") == arn:
                    return url
        raise LookupError(f"{self._url} holds the dead letters of no queue")

    def _attribute(self, url: str, name: str) -> str | None:
        return self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name]).get("Attributes", {}).get(name)
