"""What functions of the embedded AWS logged, of which its own search gives the oldest lines alone."""

from __future__ import annotations

import time

from localcloud.aws import Aws
from localcloud.aws.logs import newest

GROUP = "newest-lines"
LINES = 10_200
"""More than one answer of the service brings."""


def test_of_very_many_lines_the_newest_are_told_in_their_order(aws: Aws) -> None:
    client = aws.session.client("logs")
    assert newest(client, GROUP, 5) == []
    client.create_log_group(logGroupName=GROUP)
    begin = int(time.time() * 1000) - 60_000
    written = {"long": [(begin + n, f"long {n}") for n in range(LINES)], "late": [(begin + 20_000, "late")]}
    written["early"] = [(begin - 1, "early"), (begin + 5, "between")]
    for stream, lines in {**written, "silent": []}.items():
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        for start in range(0, len(lines), 10_000):
            events = [{"timestamp": at, "message": f"{text}\n"} for at, text in lines[start : start + 10_000]]
            client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
    every = [text for _, text in sorted((line for lines in written.values() for line in lines), key=lambda one: one[0])]
    for limit in (1, 3, LINES - 1, LINES + 100):
        assert newest(client, GROUP, limit) == every[-limit:]
