"""Cloud Scheduler: jobs that send a request at scheduled times.

https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules. A job has one run at a
time: a scheduled time that comes while a run is still being repeated is skipped.
"""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable

from cronsim import CronSim, CronSimError

from localcloud.gcp.dispatcher import Dispatcher
from localcloud.gcp.outbound import Request, Send
from localcloud.gcp.pubsub.message import timestamp
from localcloud.gcp.pubsub.pubsub import NotFound, Token, in_a_thread
from localcloud.gcp.scheduler.job import Job, JobArgs

UTC = frozenset({"UTC", "Etc/UTC"})


class Scheduler:
    """Every job of a project, by full name (`projects/p/locations/l/jobs/j`).

    `send` sends a request and returns the status; a 2xx is success. `start` runs jobs from a
    thread. A test that owns the clock calls `pump` instead.
    """

    def __init__(
        self,
        *,
        send: Send,
        token: Token,
        log: Callable[[str], None],
        now: Callable[[], float] = time.time,
        run: Callable[[Callable[[], None]], None] = in_a_thread,
    ) -> None:
        self._send, self._token, self._log, self._now, self._begin = send, token, log, now, run
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition(threading.RLock())
        self._dispatcher = Dispatcher("scheduler", self._changed, self.pump, now)

    def create(self, args: JobArgs) -> None:
        """Create or replace a job. Raises `ValueError` for a schedule or a time zone that is not accepted here."""
        if args.time_zone not in UTC:
            raise ValueError(f"job {args.name}: time zone {args.time_zone}; accepted: {', '.join(sorted(UTC))}")
        job = Job(args, lambda after: following(args.schedule, after), self._now())
        with self._changed:
            if args.name in self._jobs and self._jobs[args.name].paused:
                job.pause()
            self._jobs[args.name] = job
            self._changed.notify_all()

    def has(self, name: str) -> bool:
        """Return whether a job exists."""
        with self._changed:
            return name in self._jobs

    def delete(self, name: str) -> None:
        """Delete a job. An unknown one is ignored."""
        with self._changed:
            self._jobs.pop(name, None)

    def paused(self, name: str) -> bool:
        """Return whether a job is paused. Raises `NotFound`."""
        with self._changed:
            return self._job(name).paused

    def pause(self, name: str) -> None:
        """Send no request of a job until it is resumed. Raises `NotFound`."""
        with self._changed:
            self._job(name).pause()

    def resume(self, name: str) -> None:
        """Send the requests of a job again, from its next scheduled time on. Raises `NotFound`."""
        with self._changed:
            self._job(name).resume(self._now())
            self._changed.notify_all()

    def _job(self, name: str) -> Job:
        if name not in self._jobs:
            raise NotFound(f"job {name} does not exist")
        return self._jobs[name]

    def run(self, name: str) -> None:
        """Send a job's request now, whatever its schedule. Raises `NotFound`."""
        with self._changed:
            self._job(name).hasten(self._now())
            self._changed.notify_all()

    def start(self) -> None:
        """Run jobs from a thread from now on."""
        self._dispatcher.start()

    def stop(self) -> None:
        """Start no further request. Safe to call twice."""
        self._dispatcher.stop()

    def pump(self) -> float | None:
        """Start every attempt that is due, and return the time at which the next one is, if that is known."""
        with self._changed:
            due = [job for job in self._jobs.values() if job.begin(self._now())]
            times = [job.due for job in self._jobs.values() if not job.under_way and not job.paused]
        for job in due:
            self._begin(lambda job=job: self._attempt(job))
        return min(times, default=None)

    def _attempt(self, job: Job) -> None:
        outcome = "was not sent"
        try:
            status = self._send(self._request(job))
            outcome = f"was answered with {status}"
            succeeded = 200 <= status < 300
        except (OSError, LookupError) as problem:
            outcome, succeeded = f"was not sent: {problem}", False
        with self._changed:
            repeated = job.end(succeeded, self._now())
            if not succeeded:
                pause = "given up" if repeated is None else f"again in {repeated - self._now():.0f} s"
                self._log(f"{job.args.name}: its request {outcome}; {pause}")
            self._changed.notify_all()

    def _request(self, job: Job) -> Request:
        target = job.args.target
        headers = {
            **target.headers,
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": job.args.name.rpartition("/")[2],
            "X-CloudScheduler-ScheduleTime": timestamp(job.scheduled),
        }
        if target.oauth_account:
            headers["Authorization"] = f"Bearer {self._token(target.oauth_account, None)}"
        if target.oidc_account:
            headers["Authorization"] = f"Bearer {self._token(target.oidc_account, target.audience or target.uri)}"
        return Request(
            method=target.method,
            url=target.uri,
            headers=headers,
            body=target.body,
            seconds=job.args.attempt_deadline_seconds,
        )


def following(schedule: str, after: float) -> float:
    """Return the first time after `after` that a schedule allows, in UTC. Both are seconds since 1970.

    Raises `ValueError` for text that is not five-field cron, and for a schedule that allows no time.
    """
    try:
        return next(CronSim(schedule, datetime.datetime.fromtimestamp(after, datetime.UTC))).timestamp()
    except CronSimError as problem:
        raise ValueError(f"schedule {schedule}: {problem}") from None
    except StopIteration:
        raise ValueError(f"schedule {schedule}: names no day that exists") from None
