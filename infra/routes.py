"""The API, route by route: what each is called in the OpenAPI document, its method and its path."""

from __future__ import annotations

from collections.abc import Mapping

ROUTES: Mapping[str, tuple[str, str]] = {
    "server_metadata": ("GET", "/v2"),
    "server_live": ("GET", "/v2/health/live"),
    "server_ready": ("GET", "/v2/health/ready"),
    "model_metadata": ("GET", "/v2/models/{model}"),
    "model_ready": ("GET", "/v2/models/{model}/ready"),
    "model_infer": ("POST", "/v2/models/{model}/infer"),
    "version_metadata": ("GET", "/v2/models/{model}/versions/{version}"),
    "version_ready": ("GET", "/v2/models/{model}/versions/{version}/ready"),
    "version_infer": ("POST", "/v2/models/{model}/versions/{version}/infer"),
    "submit_job": ("POST", "/v2/models/{model}/jobs"),
    "job_status": ("GET", "/v2/models/{model}/jobs/{job}"),
    "predict": ("POST", "/predict"),
    "predict_model": ("POST", "/models/{model}/predict"),
    "openapi": ("GET", "/openapi.json"),
}
