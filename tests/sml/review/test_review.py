"""`sml review`, typed in a small project with a history of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from sml.commands import review
from sml.review import tasks
from tests.root import ROOT
from tests.sml.called import Said, called
from tests.sml.review.project import Project
from tests.sml.review.test_cost import estimate

pytestmark = pytest.mark.integration
PREDICT = {"predict": ("Function", {"memory": 1769}), "data": ("Bucket", {})}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """One commit, with the stacks dev, prod and local; what is left in the folder for temporary files is seen."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    made = Project(tmp_path / "project")
    monkeypatch.setattr(review, "ROOT", made.root)
    for stack in ("dev", "prod", "local"):
        made.stack(stack, PREDICT)
    made.commit()
    return made


def reviewed(*arguments: str) -> list[dict[str, Any]]:
    said = called("review", *arguments, "--json")
    assert said.code == 0, said.err
    return said.document


def first(comment: dict[str, Any]) -> str:
    return comment["body"].splitlines()[0]


def test_a_changed_stack_has_a_comment_whose_first_line_says_it_all_and_the_others_have_none(project: Project) -> None:
    base = project.git("rev-parse", "HEAD").strip()
    project.stack("prod", {"predict": ("Function", {"memory": 3008}), "answers": ("Queue", {})})
    head = project.commit()
    dev, prod = reviewed(base, head)
    assert (dev["stack"], dev["changed"], prod["stack"], prod["changed"]) == ("dev", False, "prod", True)
    assert first(dev) == f"**dev**: no change at <code>{head[:10]}</code>"
    assert first(prod) == "**prod**: +1 ~1 -1, **1 removed resource with all that it holds**"
    assert "- **<code>data</code> Bucket of Function predict**" in prod["body"]
    assert "<code>memory</code> <code>1769</code> -> <code>3008</code>" in prod["body"]
    assert prod["body"].rstrip().endswith(prod["marker"])
    assert "replace" not in prod["body"].lower()


def test_without_a_head_the_files_as_they_are_here_are_compared(project: Project) -> None:
    project.stack("prod", {**PREDICT, "more": ("Queue", {})})
    _, prod = reviewed("HEAD")
    assert first(prod) == "**prod**: +1 ~0 -0"
    assert "with 1 edited file</code>" in prod["body"]


def test_edits_that_are_in_no_commit_are_no_part_of_a_comparison_of_commits_and_it_says_so(project: Project) -> None:
    project.stack("prod", {**PREDICT, "more": ("Queue", {})})
    said = called("review", "HEAD", "HEAD", "--text")
    assert said.code == 0
    assert "prod: no change at" in said.out
    assert "1 edited file of the working tree, such as Pulumi.prod.yaml, is no part of this" in said.err


def test_a_commit_compared_with_itself_runs_nothing_and_says_what_it_is(project: Project) -> None:
    said = called("review", "HEAD", "main", "--text")
    assert (said.code, said.out.count("no change at")) == (0, 2)
    assert "was compared with itself" in said.err
    assert "previewing" not in said.err


def test_a_change_of_what_no_stack_is_made_of_previews_none(project: Project) -> None:
    project.write("docs/page.md", "a page")
    project.write("README.md", "read me")
    said = called("review", "HEAD", "--text")
    assert (said.code, said.out.count("no change at"), said.err) == (0, 2, "")


def test_a_change_of_the_program_previews_every_stack_but_those_of_this_machine(project: Project) -> None:
    project.write("infra/blueprint.py", "")
    said = called("review", "HEAD", "--text")
    assert {line for line in said.err.splitlines() if line.startswith("previewing")} == {
        f"previewing {stack} of the {side}" for stack in ("dev", "prod") for side in ("base", "head")
    }


def test_a_stack_of_this_machine_is_compared_where_it_is_named(project: Project) -> None:
    project.stack("local", {})
    (local,) = reviewed("HEAD", "--stack", "local")
    assert first(local) == "**local**: +0 ~0 -2, **1 removed resource with all that it holds**"


def test_a_stack_that_one_side_alone_has_is_told_with_what_it_would_have(project: Project) -> None:
    project.stack("new", PREDICT)
    (project.root / "Pulumi.dev.yaml").unlink()
    dev, new, _ = reviewed("HEAD")
    assert first(new) == "**new**: a new stack, +2 ~0 -0"
    assert first(dev).startswith("**dev**: its file is gone, and what is deployed stays until somebody destroys it, +0")


def test_of_a_base_that_does_not_build_its_sentence_is_told_and_the_head_alone(project: Project) -> None:
    project.stack("prod", {}, refused="models: no such model; accepted: breast_cancer")
    project.commit()
    project.stack("prod", PREDICT, preview={"limits": {"read_on": "2026-11-29", "verdicts": []}, "missing": []})
    _, prod = reviewed("HEAD")
    assert first(prod) == "**prod**: the base does not build, so this is the head alone: 2 resources"
    assert (
        "<code>Pulumi.prod.yaml&#58; models&#58; no such model; accepted&#58; breast&#95;cancer</code>" in prod["body"]
    )
    assert str(project.root.parent) not in prod["body"]


def test_a_head_that_does_not_build_is_the_first_line_and_the_exit_code(project: Project) -> None:
    project.stack("prod", {}, refused="log_days: found 2; accepted: 1, 3")
    said = called("review", "HEAD", "--json")
    assert said.code == 1
    assert first(said.document[1]).startswith("**prod**: the head does not build: <code>Pulumi.prod.yaml")


def test_a_program_that_fails_of_itself_is_told_by_the_last_line_of_its_trace(project: Project) -> None:
    project.stack("prod", {}, raises="odd")
    said = called("review", "HEAD", "--stack", "prod", "--text")
    assert (said.code, said.out.splitlines()[0]) == (1, "prod: the head does not build: ValueError: odd")


def test_a_program_that_never_ends_is_ended(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "SECONDS", 2)
    project.stack("prod", {}, slow=str(tmp_path / "pid"))
    said = called("review", "HEAD", "--stack", "prod", "--text")
    assert said.out.splitlines()[0] == "prod: the head does not build: no answer within 2 seconds"


def test_a_project_in_a_folder_of_a_larger_repository_is_compared_by_that_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = Project(tmp_path / "all" / "ours", within=tmp_path / "all")
    monkeypatch.setattr(review, "ROOT", inner.root)
    inner.stack("prod", PREDICT)
    inner.write("../theirs/infra/a.py", "")
    inner.commit()
    inner.write("../theirs/infra/a.py", "a = 1")
    assert "previewing" not in called("review", "HEAD", "--text").err
    inner.stack("prod", {})
    (prod,) = reviewed("HEAD")
    assert first(prod).startswith("**prod**: +0 ~0 -2")


def test_an_older_base_that_tells_the_graph_alone_is_compared_by_that(project: Project) -> None:
    project.stack("prod", PREDICT, preview={"limits": {"read_on": "2026-11-29", "verdicts": []}, "missing": []})
    _, prod = reviewed("HEAD")
    assert not prod["changed"]
    project.stack("prod", {}, preview={"limits": {"read_on": "2026-11-29", "verdicts": []}, "missing": []})
    assert "of the base: its program does not tell them" in reviewed("HEAD")[1]["body"]


def test_both_sides_are_priced_by_the_tariffs_and_at_the_traffic_of_the_head(project: Project) -> None:
    project.prices(price=1, document=estimate())
    project.stack("prod", PREDICT, outputs={"estimate": {"region": "there", "traffic": {"runs_a_month": 4}}})
    project.commit()
    project.prices(price=100, document=estimate())
    project.stack("prod", {}, outputs={"estimate": {"region": "here", "traffic": {"runs_a_month": 9}}})
    _, prod = reviewed("HEAD")
    assert "USD/month 200.00 -> 0.00," in first(prod)
    project.git("commit", "--quiet", "--all", "--message", "a head")
    project.stack("prod", PREDICT, outputs={"estimate": {"region": "there", "traffic": {"runs_a_month": 4}}})
    _, prod = reviewed("HEAD")
    assert "USD/month 0.00 -> 200.00," in first(prod)
    assert '&#123;"region"&#58; "there", "traffic"&#58; &#123;"runs&#95;a&#95;month"&#58; 4&#125;&#125;' in prod["body"]


def test_the_base_of_a_program_that_stated_no_traffic_is_priced_where_its_file_says(
    project: Project, tmp_path: Path
) -> None:
    project.prices(price=1, document=estimate())
    project.write("Pulumi.prod.yaml", json.dumps({"resources": PREDICT, "config": {"cloud:region": "there"}}))
    project.commit()
    traffic = {"predictions_per_second": 7}
    project.stack("prod", {}, outputs={"estimate": {"region": "here", "traffic": traffic}})
    reviewed("HEAD", "--stack", "prod", "--documents", str(tmp_path / "documents"))
    base = json.loads((tmp_path / "documents" / "base" / "estimate-prod.json").read_text(encoding="utf-8"))
    assert [json.loads(text) for text in base["assumptions"]] == [{"region": "there", "traffic": traffic}]


def test_what_cannot_be_estimated_is_said_and_the_rest_is_told(project: Project) -> None:
    project.stack("prod", {}, outputs={"estimate": {}})
    project.prices(refused="the tariff is damaged")
    said = called("review", "HEAD", "--stack", "prod", "--json")
    assert said.code == 0
    assert "prod of the head could not be estimated: the tariff is damaged" in said.err
    assert "Cost and carbon: not estimated by this commit." in said.document[0]["body"]


def test_a_base_that_went_on_is_said_with_the_commit_where_the_two_parted(project: Project) -> None:
    parted = project.git("rev-parse", "HEAD").strip()
    project.git("checkout", "--quiet", "-b", "feature")
    project.stack("prod", {})
    project.commit()
    project.git("checkout", "--quiet", "main")
    project.stack("dev", {})
    project.commit()
    said = called("review", "main", "feature", "--text")
    assert f"the two parted at {parted[:10]}" in said.err


def mistaken(*arguments: str) -> Said:
    said = called("review", *arguments)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1), said
    return said


def test_a_revision_that_is_not_there_is_one_sentence(project: Project) -> None:
    assert "sml: nowhere is no commit of this repository; accepted: a branch" in mistaken("nowhere").err
    assert "sml: --output=x is no commit" in mistaken("--", "--output=x").err


def test_a_stack_that_neither_commit_has_is_one_sentence(project: Project) -> None:
    said = mistaken("HEAD", "--stack", "nowhere")
    assert said.err == "sml: neither commit has Pulumi.nowhere.yaml; the stacks are dev, local, prod\n"


def test_a_folder_without_a_history_is_one_sentence(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(review, "ROOT", tmp_path)
    assert "has no git history to compare with: fatal: not a git repository" in mistaken("HEAD").err


def test_a_machine_without_git_is_one_sentence(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in mistaken("HEAD").err


def test_a_shallow_clone_that_lacks_the_base_says_how_to_fetch_it(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = project.git("rev-parse", "HEAD").strip()
    project.stack("prod", {})
    project.commit()
    project.git("clone", "--quiet", "--depth=1", project.root.as_uri(), str(tmp_path / "shallow"))
    monkeypatch.setattr(review, "ROOT", tmp_path / "shallow")
    assert f"{base} is not in this shallow clone: fetch it" in mistaken(base).err


def test_nothing_is_left_of_the_checkouts_nor_written_to_the_repository(project: Project, tmp_path: Path) -> None:
    before = sorted(path.relative_to(project.root) for path in (project.root / ".git").rglob("*"))
    project.stack("prod", {})
    reviewed("HEAD")
    assert sorted(path.relative_to(project.root) for path in (project.root / ".git").rglob("*")) == before
    assert list((tmp_path / "temporary").iterdir()) == []
    assert project.git("worktree", "list").count("\n") == 1


def test_the_two_sides_share_the_archives_that_are_built(project: Project, tmp_path: Path) -> None:
    link = "pathlib.Path(stated['seen']).write_text(str(pathlib.Path('.local/bundles').resolve()))"
    program = (project.root / "localcloud" / "__main__.py").read_text(encoding="utf-8")
    project.write("localcloud/__main__.py", f"{program}\nif 'seen' in stated:\n    {link}\n")
    project.stack("prod", {}, seen=str(tmp_path / "seen"))
    project.commit()
    project.stack("prod", PREDICT)
    reviewed("HEAD", "--stack", "prod")
    assert (tmp_path / "seen").read_text(encoding="utf-8") == str(project.root / ".local" / "bundles")


def test_it_is_written_to_a_file_and_its_documents_are_kept_where_somebody_asks(
    project: Project, tmp_path: Path
) -> None:
    project.stack("prod", {})
    said = called("review", "HEAD", "--out", str(tmp_path / "a.md"), "--documents", str(tmp_path / "documents"))
    assert (said.code, said.out) == (0, "")
    assert (tmp_path / "a.md").read_text(encoding="utf-8").count("**prod**: +0 ~0 -2") == 1
    made = {path.relative_to(tmp_path / "documents").as_posix() for path in (tmp_path / "documents").rglob("*.json")}
    assert made == {"review.json", "base/graph-prod.json", "head/graph-prod.json"}


def test_documents_of_an_earlier_review_are_no_part_of_a_later_one(project: Project, tmp_path: Path) -> None:
    less = {"predict": PREDICT["predict"]}
    limits = {"limits": {"read_on": "2026-11-29", "verdicts": []}}
    project.stack("prod", PREDICT, preview=limits)
    project.commit()
    project.stack("prod", less, preview=limits)
    kept = ("--stack", "prod", "--documents", str(tmp_path / "documents"))
    assert "of the head: its program" not in reviewed("HEAD", *kept)[0]["body"]
    project.stack("prod", less)
    assert "of the head: its program does not tell them" in reviewed("HEAD", *kept)[0]["body"]


def test_documents_are_rendered_by_the_standard_library_alone_as_the_command_does(
    project: Project, tmp_path: Path
) -> None:
    project.stack("prod", {"predict": ("Function", {"memory": 3008})})
    made = reviewed("HEAD", "--documents", str(tmp_path / "documents"))
    command = [sys.executable, "-I", "-S", "-c", RENDER, str(ROOT), str(tmp_path / "documents")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == made


RENDER = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('sml.review', run_name='__main__')"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_whoever_interrupts_it_leaves_no_process_and_no_folder(
    project: Project, tmp_path: Path, ending: signal.Signals
) -> None:
    project.stack("prod", {}, slow=str(tmp_path / "pid"))
    # Whoever runs the tests in the background has Ctrl-C ignored.
    call = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    call += f"from sml.commands import review; import pathlib; review.ROOT = pathlib.Path({str(project.root)!r}); "
    process = subprocess.Popen(
        [sys.executable, "-c", call + "from sml.app import main; main()", "review", "HEAD", "--stack", "prod"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not (pid := pid_in(tmp_path / "pid")) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.2)  # whoever starts a process also has to hear that it runs
    process.send_signal(ending)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (130, False)
    assert pid
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert list((tmp_path / "temporary").iterdir()) == []


def pid_in(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
