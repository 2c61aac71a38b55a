"""A model is taken out of the stack's settings while a release of it is under way and a job of it is to be done."""

from __future__ import annotations

import json
import uuid

from tests.loop import versions
from tests.loop.running import MODEL, Running
from tests.loop.test_jobs import FATAL
from tests.loop.test_training import CASES

BODY = {"instances": CASES[:1]}
PREDICT = f"/models/{MODEL}/predict"


def said(running: Running, text: str) -> bool | None:
    return any(text in line for line in running.stack.logs("jobs")) or None


def test_a_model_that_is_removed_is_not_found_and_goes_on_once_it_is_back(running: Running) -> None:
    name, dead = f"removed-{uuid.uuid4().hex}", running.stack.dead_letters()

    def met() -> bool | None:
        # A slow machine may have used up the attempts before the model was gone.
        if running.stack.dead_letters() > dead:
            running.stack.redrive()
        return said(running, "there is no such model")

    running.put_live(running.register(versions.brittle()))
    running.jobs.put(f"{MODEL}/in/{name}", json.dumps({"instances": [FATAL]}).encode())
    running.wait(lambda: said(running, "ModelFailure"), "a first attempt at the job")
    run = running.release(running.register(versions.right(c=0.7)))
    running.reached(run, "canary")
    with running.with_settings({"models": ["file_type"]}):
        status, _, told = running.post(PREDICT, BODY)
        assert (status, told["detail"]) == (404, "there is no such model; served here: file_type")
        running.wait(lambda: not running.stack.executions(running=True) or None, "the release to end")
        running.wait(met, "an attempt at the job of a model that is gone")
    running.put_live(running.register(versions.right()))

    def result() -> bytes | None:
        if running.stack.dead_letters() > dead:
            running.stack.redrive()
        key = f"{MODEL}/out/{name}.json"
        return running.jobs.get(key) if key in running.jobs.keys(f"{MODEL}/out/") else None

    assert len(json.loads(running.wait(result, "the job to be done"))["predictions"]) == 1
    assert running.post(PREDICT, BODY)[0] == 200
