"""The part of Cloud Scheduler's REST interface that reads jobs, pauses them and has them go on.

https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs
"""

from __future__ import annotations

import re

from localcloud.gcp.api_responses import ApiResponse, Authorize, bearer, denied, ok, problem
from localcloud.gcp.pubsub.pubsub import NotFound
from localcloud.gcp.scheduler.scheduler import Scheduler
from localcloud.support.http_server import Request

JOBS = re.compile(
    r"/cloudscheduler\.googleapis\.com/v1/"
    r"(?P<name>(?P<project>projects/[^/]+)/locations/[^/]+/jobs/[^/:]+)(:(?P<verb>[a-z]+))?"
)
"""The paths of jobs: of the service's others, administration.py tells."""
PERMISSIONS = {
    ("GET", None): "cloudscheduler.jobs.get",
    ("POST", "pause"): "cloudscheduler.jobs.pause",
    ("POST", "resume"): "cloudscheduler.jobs.enable",
}


class JobsApi:
    """Answers for the jobs of one project. There is no policy of one job: what is granted is granted on the project."""

    def __init__(self, scheduler: Scheduler, authorize: Authorize) -> None:
        self._scheduler = scheduler
        self._authorize = authorize

    def answer(self, request: Request) -> ApiResponse:
        """Return the status and the JSON body of the response."""
        found = JOBS.fullmatch(request.path)
        permission = PERMISSIONS.get((request.method, found["verb"])) if found else None
        if found is None or permission is None:
            return problem(404, f"{request.method} {request.path}: not here")
        if not self._authorize(bearer(request.headers), permission, found["project"]):
            return denied(permission, found["project"])
        name = found["name"]
        try:
            if found["verb"] == "pause":
                self._scheduler.pause(name)
            elif found["verb"] == "resume":
                self._scheduler.resume(name)
            return ok({"name": name, "state": "PAUSED" if self._scheduler.paused(name) else "ENABLED"})
        except NotFound as missing:
            return problem(404, str(missing))
