"""The changes that are compared: for each setting the values that it is changed between, each way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any, Final

from infra import clouds
from infra.blueprint import draw
from infra.function_table import FUNCTIONS
from infra.settings import Settings
from tests.changes.difference import Difference, Drawn, changed_outputs, for_nothing, lost_bindings, lost_data
from tests.graph import deploy
from tests.infra.sample import PLATFORM, archive

CLOUDS: Final = ("aws", "gcp")
MODELS: Final = ("alpha", "beta", "gamma")
JWT: Final = {"kind": "jwt", "issuer": "https://issuer.example.com", "audience": ["predictions"]}
NONE: Final = "\0"
"""The beginning of no name."""
OPEN: Final = {"kind": "none", "reason": "a demonstration"}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting, the values that it is changed between, and what a change of it may do to what lasts."""

    values: Mapping[str, Mapping[str, Any]]
    """By a few words for the value, the settings that state it."""
    clouds: tuple[str, ...] = CLOUDS
    outputs: tuple[str, ...] = ()
    """Outputs that a change is about, as the beginnings of their paths."""
    note: str = ""
    """What a user should know of it."""
    gone: tuple[str, ...] = ()
    """Beginnings of the names of what holds data or is known outside, and goes because the change says so."""


MATRIX: Final[Mapping[str, Setting]] = {
    "`models`": Setting(
        note=(
            "Functions learn the names by their environment, and the archives of those that train hold the models' "
            "folders. `POST /predict` asks the model of a stack that has only one, and the order of those after the "
            "first means nothing. A model that goes leaves its data: [below](#a-model-that-goes)."
        ),
        values={
            "one": {"models": ["alpha"]},
            "another one": {"models": ["omega"]},
            "two": {"models": ["alpha", "beta"]},
            "three": {"models": ["alpha", "beta", "gamma"]},
            "three in another order": {"models": ["gamma", "alpha", "beta"]},
            "the middle one of three gone": {"models": ["alpha", "gamma"]},
            "one more in the middle": {"models": ["alpha", "between", "beta", "gamma"]},
            "one more in front": {"models": ["zeta", "alpha", "beta", "gamma"]},
            "twelve": {"models": [f"model_{number:02}" for number in range(1, 13)]},
            "eleven of the twelve": {"models": [f"model_{number:02}" for number in range(2, 13)]},
        },
        outputs=("models.",),
    ),
    "`scaling`": Setting(
        note="`latency` waits until the copies are ready, some minutes on AWS.",
        values={
            "eco": {"scaling": {"profile": "eco"}},
            "balanced": {"scaling": {"profile": "balanced"}},
            "latency": {"scaling": {"profile": "latency"}},
            "latency, two ready": {"scaling": {"profile": "latency", "minimum": 2}},
        },
    ),
    "`scaling.hours`": Setting(
        clouds=("aws",),
        values={
            "one part": {
                "scaling": {
                    "profile": "latency",
                    "hours": [{"opens": "0 6 * * 1", "closes": "0 18 * * 1", "minimum": 2}],
                }
            },
            "another part before it": {
                "scaling": {
                    "profile": "latency",
                    "hours": [
                        {"opens": "0 5 * * 2", "closes": "0 9 * * 2", "minimum": 3},
                        {"opens": "0 6 * * 1", "closes": "0 18 * * 1", "minimum": 2},
                    ],
                }
            },
        },
    ),
    "`scaling.models`": Setting(
        note=(
            "The function that goes leaves its log, if the stack is protected, and a caller's address stays "
            "what it was."
        ),
        values={
            "none": {},
            "one": {"scaling": {"models": {"beta": {"profile": "eco", "memory_mb": 2048}}}},
            "another": {"scaling": {"models": {"gamma": {"profile": "eco", "memory_mb": 2048}}}},
            "two alike": {
                "scaling": {
                    "models": {
                        "beta": {"profile": "eco", "memory_mb": 2048},
                        "gamma": {"profile": "eco", "memory_mb": 2048},
                    }
                }
            },
            "two apart": {
                "scaling": {"models": {"beta": {"profile": "eco", "memory_mb": 2048}, "gamma": {"profile": "latency"}}}
            },
            "every one": {"scaling": {"models": {name: {"profile": "balanced"} for name in MODELS}}},
        },
        gone=("predict-",),
    ),
    "`api.auth`": Setting(
        note=(
            "Callers of the old kind are refused from then on. On GCP the account of the callers stays "
            "whatever the kind is, with all that was granted to it."
        ),
        values={
            "iam": {"api": {"auth": {"kind": "iam"}}},
            "jwt": {"api": {"auth": JWT}},
            "none": {"api": {"auth": OPEN}},
        },
        outputs=("callers",),
    ),
    "`api.throttling`": Setting(values={"100": {}, "500": {"api": {"throttling": {"rate": 500, "burst": 900}}}}),
    "`api.cors`": Setting(
        clouds=("aws",),
        values={"none": {}, "one": {"api": {"cors": {"origins": ["https://www.example.com"]}}}},
    ),
    "`protect`": Setting(
        note=(
            "The first `up` with `false` changes no resource but the buckets' own consent to be emptied; "
            "only then does `destroy` go through."
        ),
        values={"true": {"protect": True}, "false": {"protect": False}},
    ),
    "`functions.<name>.memory_mb`": Setting(
        values={"by default": {}, "more": {"functions": {"train": {"memory_mb": 2900}, "predict": {"memory_mb": 1769}}}}
    ),
    "`functions.<name>.timeout_seconds`": Setting(
        values={"by default": {}, "longer": {"functions": {"jobs": {"timeout_seconds": 500}}}}
    ),
    "`functions.<name>.concurrency`": Setting(
        values={"none": {}, "some": {"functions": {"jobs": {"concurrency": 5}, "predict": {"concurrency": 50}}}}
    ),
    "`runtime.python`": Setting(values={one: {"runtime": {"python": one}} for one in ("3.11", "3.12", "3.13")}),
    "`runtime.architecture`": Setting(
        note="Models trained on the two differ in their last bits.",
        clouds=("aws",),
        values={one: {"runtime": {"architecture": one}} for one in ("x86_64", "arm64")},
    ),
    "`jobs.attempts`": Setting(values={"5": {}, "9": {"jobs": {"attempts": 9}}}),
    "`jobs.keep_days`": Setting(
        note="Fewer days delete what is older, within a day.",
        values={"30": {}, "7": {"jobs": {"keep_days": 7}}},
    ),
    "`jobs.webhook`": Setting(
        values={
            "none": {},
            "one": {"jobs": {"webhook": {"url": "https://example.org/jobs", "secret": "x" * 24}}},
            "another": {"jobs": {"webhook": {"url": "https://example.org/others", "secret": "y" * 24}}},
        },
    ),
    "`jobs.parallelism`": Setting(values={"2": {}, "1": {"jobs": {"parallelism": 1}}}),
    "`training.parallelism`": Setting(values={"4": {}, "2": {"training": {"parallelism": 2}}}),
    "`training.timeout_hours`": Setting(values={"24": {}, "48": {"training": {"timeout_hours": 48}}}),
    "`training.schedule`": Setting(
        note=("What a schedule could not deliver stays in its queue of dead letters, if the stack is protected."),
        values={
            "none": {},
            "weekly": {"training": {"schedule": "0 3 * * 1"}},
            "daily": {"training": {"schedule": "0 4 * * *"}},
        },
    ),
    "`training.window`": Setting(
        note="An execution that waits for its slot goes by the new window from its next look on.",
        values={
            "none": {"training": {"schedule": "0 20 * * 5"}},
            "hours": {
                "training": {"schedule": "0 20 * * 5", "window": {"deadline_hours": 10, "between": "22:00-06:00"}}
            },
            "a forecast": {
                "training": {"schedule": "0 20 * * 5", "window": {"deadline_hours": 12, "forecast": "forecast.json"}}
            },
        },
    ),
    "`rollout`": Setting(
        values={
            "by default": {},
            "slower": {"rollout": {"steps": [5, 25, 50], "bake_seconds": 1800, "patience": 6, "approval": True}},
        }
    ),
    "`capture`": Setting(values={"counts": {}, "a tenth, longer": {"capture": {"inputs": 0.1, "days": 90}}}),
    "`pointer_seconds`": Setting(values={"5": {}, "60": {"pointer_seconds": 60}}),
    "`log_days`": Setting(values={"30": {}, "90": {"log_days": 90}}),
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One setting, from one value to another, on one cloud."""

    cloud: str
    setting: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.cloud} {self.setting}: {self.before} -> {self.after}"

    @property
    def says(self) -> Setting:
        """What a change of this setting may do."""
        return MATRIX[self.setting]

    @property
    def difference(self) -> Difference:
        """What it does."""
        return compared(self._settings(self.before), self._settings(self.after))

    def _settings(self, value: str) -> str:
        """Return the settings of a stack with this value, which are JSON text."""
        document = {"cloud": self.cloud, "models": list(MODELS), **self.says.values[value]}
        return Settings.parse(document, where="Pulumi.test.yaml").model_dump_json()


def problems(change: Change) -> list[str]:
    """Return what a change does beyond what it says, a sentence each: what is made anew, a right, data, an output."""
    difference, says = change.difference, change.says
    return [
        *for_nothing(difference),
        *lost_bindings(difference),
        *(lost for lost in lost_data(difference) if not lost.startswith(says.gone or NONE)),
        *(f"{path}: is another" for path in changed_outputs(difference) if not path.startswith(says.outputs or NONE)),
    ]


def changes() -> Iterator[Change]:
    """Yield every change: each pair of values of each setting, either way, on each cloud."""
    for name, setting in MATRIX.items():
        for cloud in setting.clouds:
            for before, after in permutations(setting.values, 2):
                yield Change(cloud=cloud, setting=name, before=before, after=after)


@cache
def compared(before: str, after: str) -> Difference:
    """Return the difference between the stacks with these settings: a test asks for it, and so does the page."""
    return Difference(before=drawn(before), after=drawn(after))


@cache
def drawn(settings: str) -> Drawn:
    """Return the graph of a stack with these settings, which are JSON text."""
    parsed = Settings.model_validate_json(settings)
    packed = f"{parsed.runtime.python} {parsed.runtime.architecture} {sorted(parsed.models)}"
    archives = {spec.name: archive(spec.name, packed) for spec in FUNCTIONS}
    return Drawn(deploy(lambda: draw(clouds.find(parsed.cloud), parsed, PLATFORM, archives)))
