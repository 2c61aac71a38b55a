"""What is asked of Cloud Run for a copy of a function, and what is timed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import sml.gcp.api
import sml.gcp.trials
from localcloud.support.http_server import HttpServer, Request, Response
from sml.clouds import Way, region, trials
from sml.gcp.trials import LONGEST, Trials
from sml.mistake import Mistake, Unreachable
from sml.tune.trial import Asked, beginning

PARENT = "projects/p/locations/europe-west1"
FUNCTION = "predict-function-1a2b3c4"
CONTAINER = {
    "image": "europe-west1-docker.pkg.dev/p/predict@sha256:1",
    "env": [
        {"name": "CAPTURES_URL", "value": "gs://captures"},
        {"name": "METER", "value": "{}"},
        {"name": "SECRET", "valueSource": {"secretKeyRef": {"secret": "s"}}},
    ],
    "resources": {"limits": {"memory": "1Gi", "cpu": "583m"}, "cpuIdle": True, "startupCpuBoost": True},
}
TEMPLATE = {
    "revision": "predict-00007",
    "containers": [CONTAINER],
    "serviceAccount": "predict@p.iam.gserviceaccount.com",
    "timeout": "15s",
    "maxInstanceRequestConcurrency": 1,
    "scaling": {"minInstanceCount": 3, "maxInstanceCount": 8},
}


class CloudRun:
    """Cloud Run's API and the services of one project, on a loopback address."""

    def __init__(self) -> None:
        self.server = HttpServer(self._answer, limit=1_000_000)
        self.changes: list[tuple[str, str, Any]] = []
        self.services: dict[str, Any] = {FUNCTION: self._service(FUNCTION, TEMPLATE)}
        self.calls: list[Request] = []
        self.operation: dict[str, Any] = {"done": True}
        self.called: tuple[int, bytes] = (200, b"{}")
        self.refused: tuple[int, str] | None = None

    @property
    def way(self) -> Way:
        return Way(endpoint=self.server.url, options={"bearer_token": "owner"})

    def _service(self, name: str, template: Any) -> dict[str, Any]:
        return {"name": f"{PARENT}/services/{name}", "uri": self.server.url, "template": template}

    def _answer(self, request: Request) -> Response:
        path = request.path.removeprefix("/run.googleapis.com/v2/")
        if path == request.path:
            self.calls.append(request)
            return self._respond(self.called[0], self.called[1] if request.method == "POST" else b"{}")
        if self.refused:
            return self._respond(self.refused[0], self.refused[1].encode())
        if request.method != "GET":
            self.changes.append((request.method, path, json.loads(request.body or b"null")))
            name = path.partition("?serviceId=")[2] or path.rpartition("/")[2]
            if request.method == "DELETE":
                self.services.pop(name, None)
            else:
                self.services[name] = self._service(name, self.changes[-1][2]["template"])
            return self._respond(200, json.dumps(self.operation).encode())
        name = path.rpartition("/")[2]
        if name == "services":
            return self._respond(200, json.dumps({"services": list(self.services.values())}).encode())
        if path.startswith("operations"):
            return self._respond(200, json.dumps({"done": True}).encode())
        found = self.services.get(name)
        return self._respond(200 if found else 404, json.dumps(found).encode())

    def _respond(self, status: int, content: bytes) -> Response:
        return Response(status, [("Content-Type", "application/json")], content)


@pytest.fixture
def cloud_run() -> Iterator[CloudRun]:
    apis = CloudRun()
    yield apis
    apis.server.close()


@pytest.fixture
def copies(cloud_run: CloudRun) -> Trials:
    return Trials(FUNCTION, PARENT, cloud_run.way)


def test_a_copy_is_a_service_of_the_same_image_that_starts_when_it_is_called(
    cloud_run: CloudRun, copies: Trials
) -> None:
    copies.open("copy-1", 512, 0.333)
    [(method, path, body)] = cloud_run.changes
    template = body["template"]
    assert (method, path) == ("POST", f"{PARENT}/services?serviceId=copy-1")
    [container] = template["containers"]
    assert (container["image"], container["resources"]["limits"]) == (
        CONTAINER["image"],
        {"memory": "512Mi", "cpu": "333m"},
    )
    assert container["resources"]["startupCpuBoost"] is True
    assert (template["serviceAccount"], template["timeout"]) == (TEMPLATE["serviceAccount"], "15s")
    assert (template["healthCheckDisabled"], template["scaling"]) == (True, {"maxInstanceCount": 1})
    assert "revision" not in template
    values = {one["name"]: one.get("value") for one in container["env"]}
    assert values["CAPTURES_URL"] == "memory://"
    assert ("METER" in values, "SECRET" in values) == (False, True)


def test_another_size_changes_the_copy_and_the_function_itself_is_only_read(
    cloud_run: CloudRun, copies: Trials
) -> None:
    copies.open("copy-1", 512, 0.333)
    copies.open("copy-1", 1024, 0.583)
    copies.remove("copy-1")
    assert [(method, path) for method, path, _ in cloud_run.changes[1:]] == [
        ("PATCH", f"{PARENT}/services/copy-1"),
        ("DELETE", f"{PARENT}/services/copy-1"),
    ]
    assert cloud_run.services[FUNCTION]["template"] == TEMPLATE


def test_the_function_is_read_as_it_is_deployed(cloud_run: CloudRun, copies: Trials) -> None:
    assert (copies.deployed().memory_mb, copies.deployed().shared) == (1024, False)
    cloud_run.services[FUNCTION]["template"] = {**TEMPLATE, "maxInstanceRequestConcurrency": 8}
    assert Trials(FUNCTION, PARENT, cloud_run.way).deployed().shared


def test_copies_that_were_left_are_found_by_their_names(cloud_run: CloudRun, copies: Trials) -> None:
    name = copies.name()
    copies.open(name, 512, 0.333)
    assert Trials(FUNCTION, PARENT, cloud_run.way).leftovers() == [name]
    assert (len(name) <= LONGEST, name.startswith(beginning(FUNCTION, LONGEST))) == (True, True)
    copies.remove(name)
    copies.remove(name)
    assert copies.leftovers() == []


def test_the_way_there_and_back_is_asked_for_once_a_start_and_taken_off(cloud_run: CloudRun, copies: Trials) -> None:
    copies.open("copy-1", 512, 0.333)
    for _ in range(3):
        assert copies.call("copy-1", Asked(path="/p", body=b"x")).ms >= 0
    ways = [request.path for request in cloud_run.calls if request.method == "GET"]
    assert ways == ["/v2/health/live"] * 7
    assert all(request.header("authorization") == "Bearer owner" for request in cloud_run.calls)
    copies.open("copy-1", 1024, 0.583)
    copies.call("copy-1", Asked(path="/p", body=b"x"))
    assert len([request for request in cloud_run.calls if request.method == "GET"]) == 14


@pytest.mark.parametrize(
    ("called", "killed", "problem"),
    [
        ((503, b"The request failed because the instance could not be started."), True, "503: The request failed"),
        ((503, b'{"detail": "no version of it can be opened"}'), False, "503: no version of it can be opened"),
        ((504, b"upstream request timeout"), False, "504: upstream request timeout"),
    ],
    ids=["platform", "function", "timeout"],
)
def test_the_platforms_own_refusal_is_told_from_the_functions(
    called: tuple[int, bytes], killed: bool, problem: str, cloud_run: CloudRun, copies: Trials
) -> None:
    cloud_run.called = called
    copies.open("copy-1", 512, 0.333)
    found = copies.call("copy-1", Asked(path="/p", body=b"x"))
    assert (found.out_of_memory, found.problem.startswith(problem)) == (killed, True)


def test_who_may_not_call_the_copy_is_told_what_is_missing(cloud_run: CloudRun, copies: Trials) -> None:
    cloud_run.called = (403, b"Forbidden")
    copies.open("copy-1", 512, 0.333)
    with pytest.raises(Unreachable, match=r"run\.routes\.invoke"):
        copies.call("copy-1", Asked(path="/p", body=b"x"))


def test_an_operation_is_waited_for_and_its_failure_is_told(
    cloud_run: CloudRun, copies: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    cloud_run.operation = {"name": "operations/1", "done": False}
    copies.open("copy-1", 512, 0.333)
    cloud_run.operation = {"done": True, "error": {"code": 9, "message": "Quota exceeded for total CPU"}}
    with pytest.raises(Mistake, match="GCP could not give a copy 1,024 MiB: Quota exceeded for total CPU"):
        copies.open("copy-1", 1024, 0.583)


def test_a_refusal_is_one_sentence(cloud_run: CloudRun, copies: Trials) -> None:
    cloud_run.refused = (403, "Permission 'run.services.list' denied")
    with pytest.raises(Mistake, match="GCP refused to list services: 403 Permission"):
        copies.leftovers()


def test_in_an_account_a_token_is_asked_for_the_copys_address(
    cloud_run: CloudRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sml.gcp.trials.id_token, "fetch_id_token", lambda _, url: asked.append(url) or "identity")
    monkeypatch.setattr(
        sml.gcp.trials,
        "ask",
        lambda what, path, body=None, method=None, way=None: sml.gcp.api.ask(
            what, path, body, method=method, way=cloud_run.way
        ),
    )
    copies = Trials(FUNCTION, PARENT)
    copies.open("copy-1", 512, 0.333)
    copies.call("copy-1", Asked(path="/p", body=b"x"))
    assert asked == [cloud_run.server.url]
    assert {request.header("authorization") for request in cloud_run.calls} == {"Bearer identity"}


def test_the_region_and_the_copies_follow_from_the_outputs() -> None:
    outputs = {"workflow": f"{PARENT}/workflows/training", "functions": {"predict": {"name": FUNCTION}}}
    assert region("gs", outputs) == "europe-west1"
    assert trials("gs", outputs, "predict", Way(endpoint="http://127.0.0.1:9", options={"bearer_token": "x"})).sizes
