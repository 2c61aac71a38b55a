"""What README has a reader upload after his first deployment, uploaded as the cloud's own command would."""

from __future__ import annotations

from pathlib import Path

from localcloud.commands.callers import Callers
from localcloud.commands.watch import Watch
from models.breast_cancer import sample
from tests.docs.deployment import deployments, upload
from tests.loop.running import MODEL, SECONDS, Running


def test_the_dataset_of_the_readme_becomes_a_version_that_answers(running: Running, tmp_path: Path) -> None:
    (asked,) = [upload(block) for block in deployments() if upload(block).cloud == running.stack.file.cloud]
    file, watch = tmp_path / asked.file, Watch(running.models, MODEL)
    sample.main([str(file)])
    running.stack.store(running.stack.outputs[asked.output]).put(f"{asked.folder}{asked.file}", file)
    run = watch.new_run(SECONDS)
    cases, _ = sample.instances()
    with Callers(running.stack.outputs["models"][MODEL]["predict"], cases[:20]):
        record = running.over(run)
    assert (record["status"], record["rows"]) == ("promoted", 569)
