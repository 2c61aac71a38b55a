"""The table of limits in docs/clients.md says what the code refuses."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from functions.core.api import feedback, service
from functions.core.http import json_codec, messages, problem
from functions.core.jobs import api, attempt, job, row_reader
from functions.core.onnx import deadline
from functions.core.serving import rows
from functions.entries import predict
from infra.section import Name
from infra.settings import Settings
from interface.operations import REQUEST_BYTES
from tests.root import ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("\n## Limits\n")[2].partition("\n## ")[0]
CELLS = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", TABLE, re.MULTILINE)[2:])
SETTINGS = Settings.parse({"cloud": "aws", "models": ["a"]}, where="")
NAME = next(field for field in get_args(Name) if hasattr(field, "metadata")).metadata[0].pattern
LIMITS: dict[str, tuple[float, ...]] = {
    "body of a request": (REQUEST_BYTES,),
    "rows of a request to a trained model": (rows.MOST_ROWS,),
    "lists and objects in a JSON body": (json_codec.MOST_BRACKETS,),
    "values in a JSON body": (json_codec.MOST_COMMAS,),
    "answer in JSON": (service.LARGEST_ANSWER,),
    "answer with bytes": (service.LARGEST_BINARY,),
    "time of an answer": (SETTINGS.size("predict").timeout_seconds * predict.SHARE,),
    "headers of a request": (10_240, 65_536, 100),
    "`X-Caller-Id`": (messages.LONGEST_ID,),
    "`Idempotency-Key`": (api.LARGEST_KEY,),
    "`X-Feedback-Key`, and the id of a request in feedback": (messages.LONGEST_KEY,),
    "truths of one request": (rows.MOST_ROWS,),
    "place of a row of which a truth is taken": (feedback.LAST_ROW,),
    "`id` of a request to infer": (256,),
    "faults that a refusal names": (problem.MOST_FAULTS,),
    "name of a model": (48,),
    "id of a job, which is the name of its file": (128,),
    "file of a job in JSON": (job.Format.JSON.largest,),
    "any other file of a job": (job.Format.CSV.largest,),
    "rows of a job": (attempt.MOST_ROWS,),
    "row of a job's file": (row_reader.LARGEST_ROW,),
    "one run of a model in a job": (deadline.LONGEST_SECONDS,),
    "result within a status": (api.LARGEST_INLINE,),
    "URL to upload to, or to a result": (api.SECONDS,),
    "jobs of one page of a list": (api.MOST_LISTED, api.LISTED),
    "inputs and results of jobs": (SETTINGS.jobs.keep_days,),
}


def numbers(cell: str) -> tuple[float, ...]:
    return tuple(float(number.replace(",", "")) for number in re.findall(r"\b\d[\d,]*(?:\.\d+)?\b", cell))


def test_every_limit_of_the_table_is_known() -> None:
    assert list(CELLS) == list(LIMITS)


@pytest.mark.parametrize("limit", LIMITS)
def test_the_page_says_what_the_code_says(limit: str) -> None:
    assert numbers(CELLS[limit]) == LIMITS[limit]


def test_names_may_be_as_long_as_the_page_says() -> None:
    assert re.fullmatch(NAME, "a" * 48)
    assert not re.fullmatch(NAME, "a" * 49)
    assert job.NAME.fullmatch("a" * 128)
    assert not job.NAME.fullmatch("a" * 129)
