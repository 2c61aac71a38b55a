from __future__ import annotations

import json
from typing import Any

from infra.aws.arrival import Arrival
from infra.aws.queue import Queue
from infra.aws.storage import Store
from infra.keys import Keys
from infra.vocabulary import ArrivalArgs, QueueArgs, StoreArgs
from tests.graph import deploy
from tests.infra.aws import whole as w

QUEUE_ARGS = QueueArgs(consumer_timeout_seconds=10, attempts=5)


def test_a_dataset_starts_the_workflow_with_its_key_alone() -> None:
    target = w.graph().one(w.TARGET, "datasets-target")
    assert target.inputs["inputTransformer"] == {
        "inputPaths": {"key": "$.detail.object.key"},
        "inputTemplate": '{"source": <key>}',
    }
    assert target.inputs["arn"] == w.graph().returned["workflow"]


def test_a_job_becomes_a_message_that_is_the_event_itself() -> None:
    target = w.graph().one(w.TARGET, "submissions-target")
    assert not {"inputTransformer", "input", "inputPath", "roleArn"} & set(target.inputs)
    assert target.inputs["arn"] == w.graph().one(w.QUEUE, "jobs-queue").outputs["arn"]


def test_a_rule_sees_only_its_bucket_and_prefixes() -> None:
    assert w.graph().one(w.RULE, "datasets-rule").document("eventPattern") == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": ["data-bucket-1a2b3c4"]},
            "object": {"key": [{"wildcard": "*/incoming/*"}]},
        },
    }


def arrive(*prefixes: str) -> Any:
    def program() -> None:
        keys = Keys(models=("a", "b"), prefixes=prefixes)
        store = Store("data", StoreArgs(announces=True))
        Arrival("new", ArrivalArgs(store=store, keys=keys, target=Queue("jobs", QUEUE_ARGS)))

    return deploy(program).one(w.RULE).document("eventPattern")["detail"]


def test_a_rule_says_each_prefix_once_however_many_models_there_are() -> None:
    assert arrive("")["object"] == {"key": [{"wildcard": "*/*"}]}
    assert arrive("a/", "b/")["object"] == {"key": [{"wildcard": "*/a/*"}, {"wildcard": "*/b/*"}]}


def test_a_schedule_starts_the_workflow_on_time_with_its_input() -> None:
    schedule = w.graph().one(w.SCHEDULE, "retrain-breast_cancer-schedule")
    assert schedule.inputs["scheduleExpression"] == "cron(0 3 ? * 2 *)"
    assert schedule.inputs["scheduleExpressionTimezone"] == "UTC"
    assert schedule.inputs["flexibleTimeWindow"] == {"mode": "OFF"}
    assert json.loads(schedule.inputs["target"]["input"]) == {"model": "breast_cancer"}
    assert schedule.inputs["target"]["arn"] == w.graph().returned["workflow"]


def test_a_machine_is_made_after_it_may_write_its_log() -> None:
    graph = w.graph()
    assert graph.one(w.ROLE_POLICY, "training-policy").urn in graph.one(w.MACHINE).dependencies
    assert graph.one(w.MACHINE).inputs["type"] == "STANDARD"
