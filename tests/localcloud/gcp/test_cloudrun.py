"""A function of the embedded GCP: its environment, its copies, how it ends, and who may call it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from localcloud.gcp.cloudrun import service
from localcloud.gcp.cloudrun.build import Build
from localcloud.gcp.cloudrun.functions import LARGEST_REQUEST, FunctionArgs, Functions
from localcloud.gcp.cloudrun.instance import Instance, InstanceFailed
from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.bindings import Binding, Bindings
from localcloud.support.http_server import Request
from localcloud.support.ports import LOOPBACK
from localcloud.support.process import group_alive, members

pytestmark = pytest.mark.integration

REGION = "europe-west1"
ECHO = """
import os, sys, tempfile, time
from pathlib import Path
import flask

def handle(request):
    if seconds := request.args.get("sleep"):
        time.sleep(float(seconds))
    if request.args.get("die"):
        os._exit(1)
    if path := request.args.get("touch"):
        Path(path).touch()
    if size := request.args.get("size"):
        return b"x" * int(size)
    print(f"called {request.path}", flush=True)
    return {
        "pid": os.getpid(), "env": dict(os.environ), "path": request.environ["RAW_URI"], "cwd": os.getcwd(),
        "headers": dict(request.headers), "method": request.method, "body": request.get_data(as_text=True),
        "temporary": tempfile.gettempdir(),
    }
"""


class Here:
    """One project, with a caller who has the permissions that a test grants."""

    def __init__(self, workspace: Path, pending_seconds: float) -> None:
        self.workspace = workspace
        self.accounts = Accounts("p", "123")
        self.bindings = Bindings(self.accounts)
        self.caller = self.accounts.create("caller")
        self.account = self.accounts.create("work")
        self.functions = Functions(
            workspace / "functions",
            self.accounts,
            self.bindings,
            region=REGION,
            shared={"STORAGE_EMULATOR_HOST": "http://127.0.0.1:1"},
            pending_seconds=pending_seconds,
        )
        self.urls: dict[str, str] = {}

    def args(self, text: str = ECHO, *, name: str = "work", variables: Mapping[str, str] | None = None) -> FunctionArgs:
        source = self.workspace / f"source-{len(list(self.workspace.iterdir()))}"
        source.mkdir()
        (source / "main.py").write_text(text, encoding="utf-8")
        return FunctionArgs(
            name=name,
            build=Build(python=Path(sys.executable), source=source),
            variables=variables or {},
            account=self.account,
            timeout_seconds=20,
            max_instances=2,
            concurrency=1,
        )

    def deploy(self, args: FunctionArgs) -> str:
        self.urls[args.name] = self.functions.create(args)
        self.allow(args.name)
        return self.urls[args.name]

    def allow(self, name: str) -> Binding:
        service = f"projects/p/locations/{REGION}/services/{name}"
        member = f"serviceAccount:{self.caller}"
        binding = Binding(resource=service, role="roles/run.invoker", member=member)
        self.bindings.add(binding)
        return binding

    def call(self, path: str = "/", body: bytes = b"", *, name: str = "work", token: str | None = None) -> tuple:
        """Status and body; the body read where it is JSON."""
        url = self.urls[name]
        authorization = f"Bearer {token or self.accounts.token(self.caller, url)}"
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        connection.request("POST", path, body, {"Authorization": authorization, "X-Mine": "1"})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(content) if is_json else content.decode()


@pytest.fixture
def here(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Here]:
    here = Here(tmp_path, getattr(request, "param", 20))
    yield here
    here.functions.stop()


def until(look: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not look():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_nobody_else_can_take_the_port_of_a_copy_before_it_listens(here: Here, tmp_path: Path) -> None:
    copy = Instance(here.args().build, {"FUNCTION_TARGET": "handle"}, tmp_path / "log")
    try:
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                stranger.bind((LOOPBACK, copy._port))
        copy.begin()
        response = copy.call(Request(method="POST", path="/", headers={}, body=b""), 20)
        assert json.loads(response.body)["pid"] in members([copy.group])
    finally:
        copy.stop()


def test_a_function_gets_the_request_as_it_was_sent(here: Here) -> None:
    here.deploy(here.args())
    status, echoed = here.call("/a%2Fb?x=1", b"[1]")
    assert (status, echoed["method"], echoed["path"], echoed["body"]) == (200, "POST", "/a%2Fb?x=1", "[1]")
    assert echoed["headers"]["X-Mine"] == "1"
    assert "Authorization" not in echoed["headers"]
    assert len(echoed["headers"]["X-Cloud-Trace-Context"].split("/")[0]) == 32


def test_its_environment_is_what_was_declared_and_what_the_runtime_promises(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "hunter2")
    here.deploy(here.args(variables={"COLOUR": "red"}))
    env = here.call()[1]["env"]
    own = {"PATH", "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED", "STORAGE_EMULATOR_HOST", "COLOUR", "LC_CTYPE"}
    promised = {"K_SERVICE", "K_REVISION", "K_CONFIGURATION", "PORT", "FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE"}
    google = {"GCE_METADATA_HOST", "GCE_METADATA_IP", "LOG_EXECUTION_ID", "SERVER_SOFTWARE"}
    assert set(env) - own - promised - google == set()
    assert (env["COLOUR"], env["K_SERVICE"], env["FUNCTION_TARGET"]) == ("red", "work", "handle")
    assert env["GCE_METADATA_HOST"].startswith("127.0.0.1:")


def test_its_temporary_files_are_its_own_and_go_with_it(here: Here) -> None:
    here.deploy(here.args())
    temporary = Path(here.call()[1]["temporary"])
    assert temporary.is_dir()
    assert temporary.is_relative_to(here.workspace)
    here.functions.stop()
    assert not temporary.exists()


def test_a_folder_with_a_long_path_leaves_no_error_in_its_log(tmp_path: Path) -> None:
    """A socket's path has at most 107 characters, and the server of a copy makes one."""
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    here = Here(deep, 1)
    try:
        here.deploy(here.args())
        home = Path(here.call()[1]["env"]["HOME"])
        assert home.is_dir()

        def errors() -> list[str]:
            return [line for line in here.functions.lines("work", 100) if "ERROR" in line]

        until(lambda: list(home.rglob("gunicorn.ctl")) or errors())
        assert errors() == []
    finally:
        here.functions.stop()
    assert not home.exists()


def test_calls_one_after_the_other_are_answered_by_one_copy(here: Here) -> None:
    here.deploy(here.args())
    assert len({here.call()[1]["pid"] for _ in range(5)}) == 1


def test_calls_at_once_get_a_copy_each_up_to_the_bound_and_the_rest_wait(here: Here) -> None:
    here.deploy(here.args())
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: here.call("/?sleep=0.3"), range(5)))
    assert [status for status, _ in answers] == [200] * 5
    assert len({echoed["pid"] for _, echoed in answers}) == 2
    assert len(here.functions.copies("work")) == 2


@pytest.mark.parametrize("here", [0.2], indirect=True)
def test_a_call_for_which_no_copy_becomes_free_is_refused(here: Here) -> None:
    here.deploy(replace(here.args(), max_instances=1))
    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(lambda _: here.call("/?sleep=3")[0], range(2)))
    assert statuses == [200, 429]


def test_one_copy_takes_as_many_calls_at_once_as_it_is_declared_to(here: Here) -> None:
    here.deploy(replace(here.args(), max_instances=1, concurrency=3))
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: here.call("/?sleep=0.3"), range(3)))
    assert len({echoed["pid"] for _, echoed in answers}) == 1


def test_a_call_that_takes_too_long_is_ended_and_has_no_effect_later(here: Here, tmp_path: Path) -> None:
    here.deploy(replace(here.args(), timeout_seconds=1))
    mark = tmp_path / "mark"
    (copy,) = here.functions.copies("work")
    status, echoed = here.call(f"/?sleep=2&touch={mark}")
    assert (status, "maximum request timeout" in echoed) == (504, True)
    assert not group_alive(copy.group)
    assert here.call()[0] == 200
    assert not mark.exists()


def test_a_copy_that_dies_in_the_middle_of_a_call_is_an_error_and_the_next_call_gets_another(here: Here) -> None:
    here.deploy(here.args())
    assert here.call("/?die=1")[0] == 503
    assert here.call()[0] == 200


def test_a_copy_that_is_killed_in_the_middle_of_a_call_is_an_error(here: Here) -> None:
    here.deploy(here.args())
    (copy,) = here.functions.copies("work")
    answers: list[int] = []
    caller = threading.Thread(target=lambda: answers.append(here.call("/?sleep=30")[0]))
    caller.start()
    until(lambda: copy.busy)
    os.killpg(copy.group, signal.SIGKILL)
    caller.join()
    assert answers == [503]
    assert here.call()[0] == 200


def test_a_copy_that_died_while_it_was_idle_is_not_asked(here: Here) -> None:
    here.deploy(here.args())
    (copy,) = here.functions.copies("work")
    os.killpg(copy.group, signal.SIGKILL)
    until(lambda: copy.over)
    assert here.call()[0] == 200


def test_copies_that_nobody_needs_are_ended_but_the_last(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.deploy(here.args())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: here.call("/?sleep=0.3"), range(2)))
    before = here.functions.copies("work")
    assert len(before) == 2
    monkeypatch.setattr(service, "IDLE_SECONDS", 0)
    here.functions.tidy()
    (left,) = here.functions.copies("work")
    (ended,) = set(before) - {left}
    assert not group_alive(ended.group)
    assert here.call()[0] == 200


def test_copies_that_are_to_wait_are_there_before_the_first_call_and_come_again_when_they_die(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.deploy(replace(here.args(), min_instances=2))
    first = here.functions.copies("work")
    assert len(first) == 2
    monkeypatch.setattr(service, "IDLE_SECONDS", 0)
    here.functions.tidy()
    assert here.functions.copies("work") == first
    os.killpg(first[0].group, signal.SIGKILL)
    until(lambda: first[0].over)
    here.functions.tidy()
    again = here.functions.copies("work")
    assert (len(again), first[1] in again, first[0] in again) == (2, True, False)
    here.functions.change(here.args())
    assert len(here.functions.copies("work")) == 1


def test_another_revision_is_served_at_the_same_address_and_the_old_copies_end(here: Here) -> None:
    here.deploy(here.args(variables={"COLOUR": "red"}))
    (old,) = here.functions.copies("work")
    here.functions.change(here.args(variables={"COLOUR": "blue"}))
    assert here.call()[1]["env"]["COLOUR"] == "blue"
    assert not group_alive(old.group)


def test_a_call_under_way_is_finished_by_the_copy_that_began_it(here: Here) -> None:
    here.deploy(here.args(variables={"COLOUR": "red"}))
    (old,) = here.functions.copies("work")
    answers: list[str] = []
    caller = threading.Thread(target=lambda: answers.append(here.call("/?sleep=1.5")[1]["env"]["COLOUR"]))
    caller.start()
    until(lambda: old.busy)
    here.functions.change(here.args(variables={"COLOUR": "blue"}))
    assert here.call()[1]["env"]["COLOUR"] == "blue"
    caller.join()
    assert answers == ["red"]
    until(lambda: not group_alive(old.group))


def test_code_that_cannot_be_imported_fails_its_deployment_with_its_last_words(here: Here) -> None:
    with pytest.raises(InstanceFailed, match="No module named 'not_in_the_archive'"):
        here.deploy(here.args("import not_in_the_archive\n"))


def test_a_change_that_does_not_start_leaves_what_is_served(here: Here) -> None:
    here.deploy(here.args())
    with pytest.raises(InstanceFailed):
        here.functions.change(here.args("raise SystemExit(3)\n"))
    assert here.call()[0] == 200


def test_only_who_was_granted_it_may_call(here: Here) -> None:
    url = here.deploy(here.args())
    stranger = here.accounts.create("stranger")
    assert here.call(token=here.accounts.token(stranger, url))[0] == 403
    assert here.call(token="made up")[0] == 401
    assert here.call(token=here.accounts.token(here.caller, "https://elsewhere"))[0] == 401
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().status == 403
    connection.close()


def test_a_grant_that_is_taken_back_is_gone_at_once(here: Here) -> None:
    here.urls["work"] = here.functions.create(here.args())
    binding = here.allow("work")
    assert here.call()[0] == 200
    here.bindings.remove(binding)
    assert here.call()[0] == 403


@pytest.mark.parametrize(("size", "status"), [(LARGEST_REQUEST, 200), (LARGEST_REQUEST + 1, 413)])
def test_a_request_may_have_32_mebibytes(here: Here, size: int, status: int) -> None:
    here.deploy(here.args("def handle(request):\n    return {'size': len(request.get_data())}\n"))
    assert here.call(body=b"x" * size)[0] == status


@pytest.mark.parametrize(("size", "status"), [(32 * 1024 * 1024, 200), (32 * 1024 * 1024 + 1, 500)])
def test_an_answer_may_have_32_mebibytes(here: Here, size: int, status: int) -> None:
    here.deploy(here.args())
    assert here.call(f"/?size={size}")[0] == status


def test_what_it_prints_can_be_read(here: Here) -> None:
    here.deploy(here.args())
    here.call("/one")
    here.call("/two")
    lines = here.functions.lines("work", 50)
    assert [path for line in lines for path in ("/one", "/two") if f"called {path}" in line] == ["/one", "/two"]
    assert here.functions.lines("work", 1) == lines[-1:]


def test_a_deleted_function_leaves_no_process_and_no_server(here: Here) -> None:
    here.deploy(here.args())
    groups = here.functions.groups
    assert members(groups)
    here.functions.delete("work")
    assert not members(groups)
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system likes
        here.call(token="x")


def test_stopping_in_the_middle_of_a_call_and_of_a_start_leaves_no_process(here: Here) -> None:
    here.deploy(here.args())
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(lambda: here.call("/?sleep=30")) for _ in range(2)]
        until(lambda: len(here.functions.copies("work")) == 2)
        groups = here.functions.groups
        here.functions.stop()
        assert not members(groups)
        for call in calls:
            assert call.exception(timeout=20)


def test_stopping_in_the_middle_of_a_deployment_leaves_no_process(here: Here) -> None:
    failed: list[BaseException] = []

    def deploy() -> None:
        try:
            here.deploy(here.args("import time\ntime.sleep(60)\n"))
        except InstanceFailed as problem:
            failed.append(problem)

    deployment = threading.Thread(target=deploy)
    deployment.start()
    until(lambda: here.functions.groups)
    groups = here.functions.groups
    here.functions.stop()
    deployment.join(timeout=20)
    assert failed
    assert not members(groups)
    with pytest.raises(InstanceFailed):
        here.deploy(here.args())
