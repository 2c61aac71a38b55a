"""What the estimate assumes about traffic: nobody knows it before a stack is used."""

from __future__ import annotations

from pydantic import Field

from infra.section import Section

MONTH_SECONDS = 30 * 24 * 3600


class Traffic(Section):
    """The traffic that a stack is priced at. Whatever is said of its cost says these figures, too."""

    predictions_per_second: float = Field(default=1.0, ge=0, le=1_000_000)
    """Rows answered by the API, all models together, evenly spread."""
    rows_a_request: int = Field(default=1, ge=1, le=100_000)
    """Rows in a request."""
    milliseconds_a_request: float = Field(default=5.0, ge=0.01, le=900_000)
    """How long a request takes alone on a whole processor."""
    bytes_a_row: int = Field(default=200, ge=1, le=1_000_000)
    """Of a row with its answer, as JSON."""
    starts_an_hour: float = Field(default=60.0, ge=0, le=1_000_000)
    """Cold starts of predict functions, while there are requests."""
    milliseconds_a_start: float = Field(default=500.0, ge=0, le=900_000)
    """How long a cold start takes."""
    captured_share: float | None = Field(default=None, ge=0, le=1)
    """Share of the requests whose rows are kept; by default that of `capture.inputs`."""
    runs_a_month: float = Field(default=4.0, ge=0, le=100_000)
    """Training runs, all models together."""
    seconds_a_step: float = Field(default=1.0, ge=0.001, le=900)
    """How long any other step of a run takes, and the supervisor, on a whole processor."""
    seconds_an_experiment: float = Field(default=30.0, ge=0.001, le=900)
    """How long one experiment takes on a whole processor."""
    dataset_megabytes: float = Field(default=10.0, ge=0, le=1_000_000)
    """What a run reads, and keeps."""
    jobs_a_month: float = Field(default=10.0, ge=0, le=10_000_000)
    """Jobs of the jobs API."""
    seconds_a_job: float = Field(default=60.0, ge=0.001, le=1_000_000)
    """How long the workers of a job take, on a whole processor."""
    published_versions: int = Field(default=1, ge=1, le=1000)
    """Versions of a function's code that exist at a time: each deployment of code publishes one."""

    @property
    def requests_per_second(self) -> float:
        """Requests to the API."""
        return self.predictions_per_second / self.rows_a_request

    @property
    def predictions_a_month(self) -> float:
        """In 30 days."""
        return self.predictions_per_second * MONTH_SECONDS

    @property
    def starts_a_request(self) -> float:
        """Cold starts for one request: none where there are no requests, and one at most."""
        rate = self.requests_per_second
        return min(self.starts_an_hour / 3600 / rate, 1.0) if rate else 0.0
