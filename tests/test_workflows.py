"""The workflows of the repository: what two checkers say of them, and what they promise themselves."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from tests.docs.console import complaint
from tests.docs.page import blocks
from tests.root import ROOT

pytestmark = pytest.mark.integration
FOLDER = ROOT / ".github" / "workflows"
BIN = Path(sys.executable).parent
PAGE = ROOT / "docs" / "pull-requests.md"
ISSUER = "token.actions.githubusercontent.com"


def checked(folder: Path) -> Iterator[str]:
    """What zizmor and actionlint say of the workflows in a folder, without asking anybody."""
    files = sorted(str(path) for path in folder.glob("*.yml"))
    assert files
    for command in (["zizmor", "--offline", "--no-progress", "--quiet", *files], ["actionlint", *files]):
        program = BIN / command[0]
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"{command[0]}: {done.stdout}{done.stderr}"


def test_two_checkers_find_nothing() -> None:
    assert list(checked(FOLDER)) == []


INJECTION = "      - run: echo ${{ github.event.pull_request.title }}\n"


@pytest.mark.parametrize(
    ("name", "before", "after", "found"),
    [
        (
            "test.yml",
            "      - run: make test\n",
            INJECTION,
            {"zizmor": "template-injection", "actionlint": "untrusted"},
        ),
        ("test.yml", "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", {"zizmor": "unpinned-uses"}),
        (
            "test.yml",
            "permissions:\n      contents: read",
            "permissions: write-all",
            {"zizmor": "excessive-permissions"},
        ),
        ("test.yml", "  pull_request:\n", "  pull_request_target:\n", {"zizmor": "dangerous-triggers"}),
        ("test.yml", "persist-credentials: false", "fetch-depth: 0", {"zizmor": "artipacked"}),
        ("test.yml", "runs-on: ubuntu-24.04", "runs-on: ${{ nowhere.at }}", {"actionlint": "undefined"}),
    ],
    ids=["injection", "unpinned", "permissions", "trigger", "credentials", "expression"],
)
def test_a_mistake_is_found(tmp_path: Path, name: str, before: str, after: str, found: Mapping[str, str]) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert before in text
    (tmp_path / name).write_text(text.replace(before, after), encoding="utf-8")
    said = "\n".join(checked(tmp_path))
    for checker, words in found.items():
        assert f"{checker}: " in said
        assert words in said


Workflow = Mapping[Any, Any]
READ = {"contents": "read"}
USES = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")


def workflows(folder: Path = FOLDER) -> dict[str, Workflow]:
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yml"))}


def every_action_is_pinned(found: Mapping[str, Workflow]) -> Iterator[str]:
    for name, job, step in steps(found):
        if "uses" in step and not USES.fullmatch(step["uses"]):
            yield f"{name}: {job}: {step['uses']} is not pinned by its commit"


def one_commit_stands_for_an_action(found: Mapping[str, Workflow]) -> Iterator[str]:
    commits: dict[str, set[str]] = {}
    for _, _, step in steps(found):
        action, _, commit = step.get("uses", "").partition("@")
        commits.setdefault(action, set()).add(commit)
    yield from (f"{action} is there in several versions" for action, those in commits.items() if len(those) > 1)


def nothing_is_permitted_but_by_a_job(found: Mapping[str, Workflow]) -> Iterator[str]:
    for name, workflow in found.items():
        if workflow["permissions"] != {}:
            yield f"{name}: permits something to all of its jobs"
        for job, does in workflow["jobs"].items():
            if "permissions" not in does:
                yield f"{name}: {job} does not say what it may do"


def what_runs_a_change_may_read_and_knows_no_secret(found: Mapping[str, Workflow]) -> Iterator[str]:
    """But in a review stack, whose environment has an account of its own."""
    for name, workflow in found.items():
        if "pull_request" not in triggers(workflow):
            continue
        for job, does in workflow["jobs"].items():
            if does.get("environment") == "review" or (name == "preview.yml" and job == "comment"):
                continue
            if does["permissions"] != READ or "secrets." in json.dumps(does) or "github.token" in json.dumps(does):
                yield f"{name}: {job} may do more than read, or knows a secret"


def what_may_write_runs_nothing_of_a_change(found: Mapping[str, Workflow]) -> Iterator[str]:
    for name, job, step in steps(found):
        writes = "write" in found[name]["jobs"][job]["permissions"].get("pull-requests", "")
        ref = step.get("with", {}).get("ref", "")
        if writes and step.get("uses", "").startswith("actions/checkout") and ".base.sha" not in ref:
            yield f"{name}: {job} may write, and checks out {ref or 'the merge'}"
        if writes and re.search(r"\b(make|pip|uv|npm|\.venv)\b", step.get("run", "")):
            yield f"{name}: {job} may write, and installs or runs something: {step['run']}"


def a_cloud_is_reached_from_an_environment_one_at_a_time(found: Mapping[str, Workflow]) -> Iterator[str]:
    for name, workflow in found.items():
        for job, does in workflow["jobs"].items():
            if does["permissions"].get("id-token") != "write":
                continue
            if "environment" not in does:
                yield f"{name}: {job} asks for a role from no environment"
            lock = does.get("concurrency", {})
            if lock.get("cancel-in-progress") is not False or not lock.get("group"):
                yield f"{name}: {job} may meet another one at the same stack"


def credentials_stay_in_no_checkout(found: Mapping[str, Workflow]) -> Iterator[str]:
    for name, job, step in steps(found):
        checkout = step.get("uses", "").startswith("actions/checkout")
        if checkout and step.get("with", {}).get("persist-credentials") is not False:
            yield f"{name}: {job} leaves its token in the checkout"


def jobs_have_an_end(found: Mapping[str, Workflow]) -> Iterator[str]:
    for name, workflow in found.items():
        yield from (
            f"{name}: {job} has no end" for job, does in workflow["jobs"].items() if "timeout-minutes" not in does
        )


def steps(found: Mapping[str, Workflow]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for name, workflow in found.items():
        for job, does in workflow["jobs"].items():
            yield from ((name, job, step) for step in does["steps"])


def triggers(workflow: Workflow) -> Mapping[str, Any]:
    """YAML 1.1 reads the key `on` as true."""
    return workflow[True]


class Rule(Protocol):
    """A rule says what is wrong in the workflows, a sentence each."""

    __name__: str

    def __call__(self, found: Mapping[str, Workflow], /) -> Iterator[str]: ...


RULES: dict[Rule, tuple[str, str, str]] = {
    every_action_is_pinned: ("preview.yml", "@27d5ce7f107fe9357f9df03efb73ab90386fccae", "@v5"),
    one_commit_stands_for_an_action: ("test.yml", "3d3c42e5", "3d3c42e6"),
    nothing_is_permitted_but_by_a_job: ("test.yml", "permissions: {}", "permissions: {contents: read}"),
    what_runs_a_change_may_read_and_knows_no_secret: (
        "preview.yml",
        "    permissions:\n      contents: read\n    steps",
        "    permissions:\n      contents: read\n      id-token: write\n    environment: a\n    concurrency:"
        "\n      group: a\n      cancel-in-progress: false\n    steps",
    ),
    what_may_write_runs_nothing_of_a_change: (
        "preview.yml",
        "          ref: ${{ github.event.pull_request.base.sha }}",
        "          ref: ${{ github.event.pull_request.head.sha }}",
    ),
    a_cloud_is_reached_from_an_environment_one_at_a_time: ("deploy.yml", "    environment: ${{ matrix.stack }}\n", ""),
    credentials_stay_in_no_checkout: ("test.yml", "persist-credentials: false", "persist-credentials: true"),
    jobs_have_an_end: ("test.yml", "    timeout-minutes: 60\n", ""),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_holds_and_a_change_that_breaks_it_breaks_it_alone(rule: Rule, tmp_path: Path) -> None:
    assert list(rule(workflows())) == []
    name, before, after = RULES[rule]
    shutil.copytree(FOLDER, tmp_path / "workflows")
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "workflows" / name).write_text(text.replace(before, after), encoding="utf-8")
    mutated = workflows(tmp_path / "workflows")
    assert [one.__name__ for one in RULES if list(one(mutated))] == [rule.__name__]


def stacks_in(text: str) -> set[str]:
    return set(re.findall(r"Pulumi\.([\w-]+)\.yaml", text))


def test_the_stacks_that_can_be_deployed_are_those_of_the_repository() -> None:
    options = triggers(workflows()["deploy.yml"])["workflow_dispatch"]["inputs"]["stack"]["options"]
    here = stacks_in("\n".join(path.name for path in ROOT.glob("Pulumi.*.yaml")))
    assert set(options) == {stack for stack in here if stack != "local" and not stack.endswith("-local")}


def documents() -> list[dict[str, Any]]:
    return [json.loads(block.text) for block in blocks(PAGE) if block.language == "json"]


def wrong(policy: Mapping[str, Any]) -> Iterator[str]:
    """What a policy of trust would let in that it must not."""
    for statement in policy["Statement"]:
        equal = statement["Condition"].get("StringEquals", {})
        if statement["Condition"].keys() != {"StringEquals"} or equal.keys() != {f"{ISSUER}:aud", f"{ISSUER}:sub"}:
            yield "not audience and subject by equality, and nothing else"
        if equal.get(f"{ISSUER}:aud") != "sts.amazonaws.com":
            yield "another audience"
        if not re.fullmatch(r"repo:[\w.@-]+/[\w.@-]+:environment:[\w-]+", equal.get(f"{ISSUER}:sub", "")):
            yield "a subject that is no environment's"
        if statement["Action"] != "sts:AssumeRoleWithWebIdentity" or not statement["Principal"]["Federated"].endswith(
            ISSUER
        ):
            yield "another way in"


def test_a_role_trusts_one_environment_by_equality_alone() -> None:
    assert [list(wrong(policy)) for policy in documents()] == [[], []]
    subjects = [policy["Statement"][0]["Condition"]["StringEquals"][f"{ISSUER}:sub"] for policy in documents()]
    assert [subject.rpartition(":")[2] for subject in subjects] == ["prod", "prod-read"]
    assert workflows()["drift.yml"]["jobs"]["look"]["environment"] == "${{ matrix.stack }}-read"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("StringEquals", "StringLike"),
        (":environment:prod", ":*"),
        (":environment:", ":ref:"),
        ("sts.amazonaws.com", "*"),
    ],
)
def test_a_role_that_trusts_more_is_seen(before: str, after: str) -> None:
    (text, _) = [json.dumps(policy) for policy in documents()]
    assert before in text
    assert list(wrong(json.loads(text.replace(before, after))))


def test_the_page_names_every_variable_and_secret_that_the_workflows_read_and_no_other() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yml"))
    read = set(re.findall(r"\b(?:vars|secrets)\.([A-Z_]+)", text))
    page = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"`([A-Z]+_[A-Z_]+|STACKS)`", page)) == read


def test_the_page_has_a_row_for_every_workflow() -> None:
    assert set(re.findall(r"^\| `([\w-]+\.yml)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == set(
        workflows()
    )


def test_the_commands_of_this_project_are_ones_that_it_takes() -> None:
    lines = [line.strip() for _, _, step in steps(workflows()) for line in step.get("run", "").splitlines()]
    ours = [line for line in lines if line.startswith((".venv/bin/sml ", "make test"))]
    assert len(ours) == 2
    assert [(line, wrong) for line in ours if (wrong := complaint(line))] == []


AROUND = """
const calls = [], note = (name) => async (given) => { calls.push([name, given]); };
const github = { paginate: async () => JSON.parse(process.env.FOUND), rest: { issues: {
  updateComment: note('updateComment'), createComment: note('createComment'), update: note('update'),
  create: note('create') } } };
const context = { repo: { owner: 'o', repo: 'r' }, issue: { number: 7 }, serverUrl: 'https://g', runId: 5 };
(async () => { %s; console.log(JSON.stringify(calls)); })();
"""


def script(name: str, folder: Path, found: list[dict[str, Any]], **environment: str) -> list[list[Any]]:
    """What the script of a workflow asks of GitHub, where it finds these comments or issues."""
    (text,) = (
        step["with"]["script"]
        for one, _, step in steps(workflows())
        if one == name and "script" in step.get("with", {})
    )
    done = subprocess.run(
        [NODE or "node", "-e", AROUND % text],
        cwd=folder,
        env={"FOUND": json.dumps(found), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        [call, {key: given[key] for key in given if key not in ("owner", "repo")}]
        for call, given in json.loads(done.stdout)
    ]


NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="no node on this machine to run a workflow's script")
BOT = {"user": {"login": "github-actions[bot]"}}


@needs_node
def test_a_comment_is_written_once_a_stack_and_then_edited(tmp_path: Path) -> None:
    made = [{"stack": name, "marker": f"<!-- {name} -->", "body": name, "changed": name != "c"} for name in "abcd"]
    (tmp_path / "comments.json").write_text(json.dumps(made), encoding="utf-8")
    others = [{"id": 1, "user": {"login": "a"}, "body": "<!-- a -->"}, {"id": 2, "user": None, "body": "<!-- a -->"}]
    posted = [*others, {"id": 3, **BOT, "body": "older <!-- b -->"}]
    assert script("preview.yml", tmp_path, posted) == [
        ["createComment", {"issue_number": 7, "body": "a"}],
        ["updateComment", {"comment_id": 3, "body": "b"}],
        ["createComment", {"issue_number": 7, "body": "d"}],
    ]
    assert ["updateComment", {"comment_id": 4, "body": "c"}] in script(
        "preview.yml", tmp_path, [*posted, {"id": 4, **BOT, "body": "older <!-- c -->"}]
    )


TITLE = "Deployed stacks differ from what is declared"


@needs_node
@pytest.mark.parametrize(
    ("found", "looked", "there", "does"),
    [
        ({"prod": "an ``` end"}, "success", False, "create"),
        ({"prod": "differs"}, "success", True, "update"),
        ({}, "failure", False, "create"),
        ({}, "success", True, "closed"),
        ({}, "success", False, ""),
    ],
    ids=["first", "again", "not looked at", "mended", "nothing"],
)
def test_one_issue_says_what_differs_and_is_closed(
    tmp_path: Path, found: Mapping[str, str], looked: str, there: bool, does: str
) -> None:
    (tmp_path / "found").mkdir()
    for stack, text in found.items():
        (tmp_path / "found" / f"{stack}.txt").write_text(text, encoding="utf-8")
    calls = script("drift.yml", tmp_path, [{"number": 3, "title": TITLE}] if there else [], LOOKED=looked)
    if not does:
        assert calls == []
        return
    ((call, given),) = calls
    assert (call, given.get("state")) == (("update", "closed") if does == "closed" else (does, None))
    assert given.get("body", "").count("````text") == len(found)
    assert "an ``` end" not in given.get("body", "")
    assert ("Not every stack could be looked at" in given.get("body", "")) == (looked == "failure")


PULUMI = """#!/bin/sh
case "$*" in
"stack ls --json")
  echo '[{"name": "dev"}, {"name": "pr-1"}, {"name": "who/what/pr-22"}, {"name": "pr-3"}, {"name": "pr-4"}]';;
*pr-3) echo "$*" >> "$CALLS"; exit 1;;
*) echo "$*" >> "$CALLS";;
esac
"""
GH = """#!/bin/sh
case "$3" in
4) echo '{"state": "OPEN", "labels": [{"name": "review stack"}]}';;
22) echo '{"state": "OPEN", "labels": [{"name": "another"}]}';;
*) echo '{"state": "CLOSED", "labels": [{"name": "review stack"}]}';;
esac
"""


@pytest.mark.parametrize(
    ("number", "code", "ended"),
    [
        ("", 1, ["pr-1", "who/what/pr-22", "pr-3"]),
        ("1", 0, ["pr-1"]),
        ("3", 1, ["pr-3"]),
        ("9", 0, []),
        ("4", 0, ["pr-4"]),
    ],
    ids=["sweep", "one", "one that stays", "none there", "one that lost its label"],
)
def test_review_stacks_end_with_their_pull_requests_and_no_other_stack_does(
    tmp_path: Path, number: str, code: int, ended: list[str]
) -> None:
    for name, text in (("pulumi", PULUMI), ("gh", GH)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()
    done = subprocess.run(
        [sys.executable, ROOT / ".github" / "end_review_stacks.py", number],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    lines = calls.read_text(encoding="utf-8").splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ended
    assert all(line.startswith("destroy --yes") and "--remove" in line for line in lines)
