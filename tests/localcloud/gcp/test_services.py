"""Cloud Run's own interface: services of the image of a function, each of a size of its own."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from localcloud.gcp.cloudrun.build import Build
from localcloud.gcp.cloudrun.functions import FunctionArgs, Functions
from localcloud.gcp.cloudrun.instance import Size
from localcloud.gcp.cloudrun.rest import SERVICES, ServicesApi
from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.bindings import Bindings
from localcloud.support.http_server import Request
from localcloud.support.size_limits import available

pytestmark = pytest.mark.integration
PARENT = "projects/p/locations/europe-west1"
OWNER = "owner-token"
CODE = """
import os, time
kept = []
def handle(request):
    if mb := request.args.get("mb"):
        kept.append(b"1" * (int(mb) * 1_000_000))
        time.sleep(5)
    return {"variables": dict(os.environ)}
"""


class Project:
    """The services of one project, with a function."""

    def __init__(self, workspace: Path) -> None:
        accounts = Accounts("p", "123")
        source = workspace / "source"
        source.mkdir()
        (source / "main.py").write_text(CODE, encoding="utf-8")
        bindings = Bindings(accounts)
        self.functions = Functions(
            workspace / "functions", accounts, bindings, region="europe-west1", shared={}, owner=OWNER
        )
        self.api = ServicesApi(self.functions, "p", "europe-west1", authorize=lambda token, *_: token == OWNER)
        args = FunctionArgs(
            name="predict",
            build=Build(python=Path(sys.executable), source=source),
            variables={"COLOUR": "red"},
            account=accounts.create("work"),
            timeout_seconds=20,
            max_instances=2,
            concurrency=1,
            size=Size(memory_mb=512, processors=0.333),
            tried=False,
        )
        self.functions.create(args)

    def ask(self, method: str, path: str, body: Any = None, token: str = OWNER) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        request = Request(
            method=method,
            path=f"{SERVICES}{PARENT}/{path}",
            headers=headers,
            body=json.dumps(body).encode() if body else b"",
        )
        status, content = self.api.answer(request)
        return status, json.loads(content)

    def call(self, url: str, path: str = "/") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        connection.request("GET", path, headers={"Authorization": f"Bearer {OWNER}"})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("services"))
    yield project
    project.functions.stop()


def changed(template: Any, memory: str, cpu: str, *variables: dict[str, str]) -> Any:
    [container] = template["containers"]
    resources = {**container["resources"], "limits": {"memory": memory, "cpu": cpu}}
    sized = {**container, "resources": resources, "env": [*container["env"], *variables]}
    return {**template, "containers": [sized], "healthCheckDisabled": True}


@pytest.mark.skipif(not available(), reason="Linux alone tells what another process has used")
def test_a_service_of_a_functions_image_answers_within_its_own_size_and_goes(project: Project) -> None:
    status, found = project.ask("GET", "services/predict")
    [container] = found["template"]["containers"]
    assert (status, container["resources"]["limits"]) == (200, {"memory": "512Mi", "cpu": "333m"})
    enforced = {"name": "ENFORCE_SIZE", "value": "yes"}
    template = changed(found["template"], "256Mi", "1", enforced)
    status, operation = project.ask(
        "POST", "services?serviceId=copy", {"template": template, "labels": {"mine": "yes"}}
    )
    assert (status, operation["done"], operation["response"]["labels"]) == (200, True, {"mine": "yes"})
    # Nothing was started yet.
    assert project.functions.copies("copy") == ()
    url = operation["response"]["uri"]
    status, content = project.call(url)
    assert (status, json.loads(content)["variables"]["COLOUR"]) == (200, "red")
    assert project.call(url, "/?mb=400")[0] == 503
    project.ask("PATCH", "services/copy", {"template": changed(found["template"], "1Gi", "1", enforced)})
    names = [one["name"].rpartition("/")[2] for one in project.ask("GET", "services")[1]["services"]]
    assert names == ["predict", "copy"]
    limits = project.ask("GET", "services/copy")[1]["template"]["containers"][0]["resources"]["limits"]
    assert limits == {"memory": "1024Mi", "cpu": "1000m"}
    assert project.ask("DELETE", "services/copy")[0] == 200
    assert project.ask("GET", "services/copy")[0] == 404
    assert project.ask("GET", "services/predict")[1] == found


def test_what_cloud_run_would_refuse_is_refused(project: Project) -> None:
    template = project.ask("GET", "services/predict")[1]["template"]
    status, told = project.ask("POST", "services?serviceId=x", {"template": changed(template, "64Mi", "1")})
    assert (status, "64Mi is not between" in told["error"]["message"]) == (400, True)
    other = changed(template, "512Mi", "1")
    other["containers"][0]["image"] = "elsewhere/image"
    assert "not found" in project.ask("POST", "services?serviceId=x", {"template": other})[1]["error"]["message"]
    assert project.ask("GET", "services", token="nobody")[0] == 403
    assert project.ask("GET", "jobs")[0] == 404
