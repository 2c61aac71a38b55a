"""On both embedded clouds: the rows of a day are captured, compacted, and compared with those of the training.

Callers tell what was true of them, and the quality is known once their horizon is over.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from functions.core.dataset.profile import describe
from localcloud.engine.cloud import Objects
from models.breast_cancer import sample
from models.contract import Contract
from models.labels import Labels
from tests.loop import versions
from tests.loop.running import MODEL, PREDICT, Running, rows
from tests.loop.scheduled import called

AT_ONCE = 100


def test_the_rows_of_a_day_are_captured_compacted_and_compared_with_what_the_live_version_learnt_from(
    running: Running,
) -> None:
    version, (x, _) = running.live()["champion"], versions.cases()
    features = Contract.load(MODEL).features
    profile = {"features": {one.name: describe(one, x[:, at]) for at, one in enumerate(features)}}
    running.models.put(f"{MODEL}/versions/{version}/profile.json", json.dumps(profile).encode())

    captures, today = running.stack.store(running.stack.outputs["captures_url"]), datetime.now(UTC)
    before = requests_in(captures)
    table = rows(0, len(x))
    cases = [{name: case[name] for name in (one.name for one in features)} for case in table]
    truths = []
    for start in range(0, len(cases), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        status, headers, _ = running.post(PREDICT, {"instances": cases[some]}, X_Feedback_Key=f"cases {start}")
        assert status == 200
        name = {"key": f"cases {start}"} if start else {"request": headers["x-request-id"]}
        truths += [{**name, "row": at, "truth": case[sample.TARGET]} for at, case in enumerate(table[some])]
    told = running.post(f"/v2/models/{MODEL}/feedback", {"truths": [*truths, {"key": "nobody's", "truth": "none"}]})
    assert (told[0], told[2]["taken"], [one["item"] for one in told[2]["refused"]]) == (200, len(cases), [len(cases)])

    def captured() -> list[tuple[str, bytes]] | None:
        # A copy writes what it holds with the next answer.
        running.post(PREDICT, {"instances": cases[:1]})
        found = [(key, captures.get(key)) for key in sorted(requests_in(captures) - before)]
        written = [json.loads(line) for _, content in found for line in content.splitlines()]
        return found if sum(one.get("rows", 0) for one in written) >= len(cases) else None

    yesterday, due = (f"{today - timedelta(days=back):%Y-%m-%d}" for back in (1, 1 + Labels().horizon_days))
    for number, (_, content) in enumerate(running.wait(captured, "the rows to be captured")):
        for day in (yesterday, due):
            captures.put(f"{MODEL}/{day}/12/{number:04}.jsonl", content)
    for key in list(captures.keys(f"{MODEL}/truths")):
        captures.put(f"{MODEL}/truths/{yesterday}/{key.rpartition('/')[2]}", captures.get(key))

    assert called(running, "watch")["checked"][MODEL] == "steady"
    assert called(running, "watch") == {"checked": {}}
    assert list(captures.keys(f"{MODEL}/{yesterday}")) == []
    files = [key for key in captures.keys(f"{MODEL}/files/version={version}") if f"day={yesterday}" in key]
    assert [captures.get(key)[:4] for key in files] == [b"PAR1"]
    said = running.sml("drift", MODEL)
    assert (said.code, yesterday in said.out, "as in training" in said.out) == (0, True, True)
    quality = running.sml("quality", MODEL, "--json").document
    assert (quality["state"], quality["window"]["rows"], quality["window"]["to"]) == ("measured", 500, due)
    assert quality["metrics"]["accuracy"]["value"] > 0.9
    labelled = captures.get(f"{MODEL}/labelled/{due}/table.csv").splitlines()
    assert (len(labelled), labelled[0].endswith(sample.TARGET.encode())) == (len(cases) + 1, True)
    said_in_sql(running, version, yesterday, due, len(cases))
    itself = running.sml("rehearse", f"{MODEL}@{version}", "--against", "captures", "--days", "2")
    # Other tests may have had other versions answer today: then there is something to compare.
    assert itself.code == 0 or "answered by this version itself" in itself.err
    check_by_job(running, rows_asked=len(cases))


def check_by_job(running: Running, rows_asked: int) -> None:
    """Another version would be promoted by what a job of it answered, of which nothing is left but what it used."""
    version = running.register(versions.right(c=0.9))
    found = running.sml("rehearse", f"{MODEL}@{version}", "--by-job", "--days", "2", "--json").document
    assert (found["decision"], found["metrics"]["errors"], found["rows"] >= rows_asked) == ("pass", 0, True)
    assert [key for key in running.jobs.keys("") if found["by_job"] in key and "/usage/" not in key] == []


def said_in_sql(running: Running, version: str, yesterday: str, due: str, rows_at_least: int) -> None:
    """Ask in SQL for the rows of a day that is in files, beside today's in objects, and for the truths of another."""
    asked = "select day, count(in_mean_radius) as n, count(predicted) as m from predictions group by day"
    by_day = running.sml("query", asked, "--since", yesterday, "--model", MODEL, "--json").document["rows"]
    [one] = [one for one in by_day if one["day"] == yesterday]
    assert (one["n"] >= rows_at_least, one["m"]) == (True, one["n"])
    told = running.sml("query", "quality-by-version", "--since", due, "--model", MODEL, "--json").document["rows"]
    [own] = [one for one in told if one["version"] == version]
    assert (own["labelled"], own["accuracy"] > 0.9) == (rows_at_least, True)


def requests_in(captures: Objects) -> set[str]:
    """Return the keys of captured requests, which are by day: what else is there is of truths."""
    return {key for key in captures.keys(f"{MODEL}/") if key.split("/")[1][:1].isdecimal()}
