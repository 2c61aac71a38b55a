"""A request to train again: which tables of the data store make the dataset together, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from interface import layout

if TYPE_CHECKING:
    from functions.core.storage.objects import Objects

ACCEPTED = (
    'accepted: {"cause": "asked", "said": "<why>", "tables": ["<model>/incoming/<file>", "<model>/labelled/<file>"]}'
)
MOST_TABLES = 400
CAUSES = ("asked", "drift", "quality", "rows", "schedule")
"""Why a model is trained again: a person asked, its columns drifted, its quality fell below its floor, enough rows were
labelled, or enough days went by."""


class BadTrainingRequest(ValueError):
    """What lies there is no request to train again. The text says what is accepted."""


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What is to be trained on again."""

    cause: str
    """One of `CAUSES`."""
    said: str
    """The sentence that says why."""
    tables: tuple[str, ...]
    """Keys of the data store: the dataset of before, and after it the tables of labelled rows."""

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "tables": list(self.tables)}

    @classmethod
    def parse(cls, document: object, model: str) -> Self:
        """Read what `document` returned. Raise `BadTrainingRequest`, also where a table is not of the model."""
        match document:
            case {"cause": str(cause), "said": str(said), "tables": [*tables], **others} if not others:
                keys = tuple(key for key in tables if isinstance(key, str) and _is_table(key, model))
                if cause in CAUSES and len(keys) == len(tables) and 1 <= len(tables) <= MOST_TABLES:
                    return cls(cause=cause, said=said[:1000], tables=keys)
        raise BadTrainingRequest(f"the file is no request to train again; {ACCEPTED}")


def folder(model: str) -> str:
    """Return where the requests of a model lie in the data store. A new object there starts the training workflow."""
    return f"{model}/{layout.AGAIN}"


def is_request(source: str, model: str) -> bool:
    """Return whether an uploaded file is a request to train again, by its key."""
    return source.startswith(folder(model)) and source.endswith(".json")


def tables_of(data: Objects, model: str, source: str) -> tuple[str, ...]:
    """Return the keys of the tables that a dataset was made of, by the key of what was uploaded.

    Raise `BadTrainingRequest` where that is a request that cannot be read any more.
    """
    if not is_request(source, model):
        return (source,)
    return TrainingRequest.parse(data.find_json(source), model).tables


def _is_table(key: str, model: str) -> bool:
    begins = (f"{model}/{layout.INCOMING}", f"{model}/{layout.LABELLED}")
    return key.startswith(begins) and not is_request(key, model) and ".." not in key
