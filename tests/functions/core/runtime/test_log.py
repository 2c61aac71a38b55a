"""A line of the log whose last fields were encoded before."""

from __future__ import annotations

import io
import json
from functools import partial

import pytest

from functions.core.http.json_codec import dump_json
from functions.core.runtime.log import Log

FIELDS = {"billed_ms": 1.0, "usd": 2.167e-07, "text": 'a "quoted" ü'}


@pytest.mark.parametrize("options", [{}, {"encode": partial(dump_json, alike=False)}], ids=["plain", "quick"])
def test_fields_that_are_encoded_once_are_in_the_line_as_others_are(options: dict[str, partial[bytes]]) -> None:
    written = io.StringIO()
    log = Log(stream=written, clock=lambda: 1.5, **options)  # ty: ignore[invalid-argument-type]
    log.info("request", status=200, **FIELDS)
    log.info_also("request", log.part(FIELDS), status=200)
    log.info_also("request", b"", status=200)
    one, other, without = map(json.loads, written.getvalue().splitlines())
    assert one == other == {**without, **FIELDS}
    assert list(one) == list(other)
