"""Which view answers which address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sml.console.pages import actions, drift, jobs, models, predict, runs, stack, traffic, versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.console.site import View

ROUTES: Mapping[tuple[str, str], View] = {
    ("GET", "/"): models.overview,
    ("GET", "/models/{model}"): models.model,
    ("GET", "/models/{model}/versions/{version}"): versions.version,
    ("GET", "/models/{model}/difference"): versions.difference,
    ("GET", "/models/{model}/canary"): traffic.canary,
    ("GET", "/models/{model}/requests"): traffic.requests,
    ("GET", "/models/{model}/drift"): drift.drift,
    ("GET", "/models/{model}/jobs"): jobs.listed,
    ("POST", "/models/{model}/jobs"): jobs.submit,
    ("GET", "/models/{model}/jobs/{job}"): jobs.job,
    ("GET", "/models/{model}/jobs/{job}/result"): jobs.result,
    ("GET", "/models/{model}/predict"): predict.form,
    ("POST", "/models/{model}/predict"): predict.answer,
    ("GET", "/models/{model}/ask/{action}"): actions.ask,
    ("POST", "/models/{model}/do/{action}"): actions.do,
    ("GET", "/runs"): runs.listed,
    ("GET", "/compare"): runs.compare,
    ("GET", "/models/{model}/runs/{run}"): runs.run,
    ("GET", "/models/{model}/runs/{run}/report"): runs.report,
    ("GET", "/resources"): stack.resources,
    ("GET", "/alarms"): stack.alarms,
    ("GET", "/logs"): stack.logs,
}
