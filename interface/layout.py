"""Where objects lie in the stores: `<model>/<prefix>...`.

What is needed only for a while lies at `<prefix><model>/...`, below a prefix that begins with a dot, as no model's name
does: one rule of expiry holds for all models, also for those that a stack no longer has.
"""

from __future__ import annotations

INCOMING = "incoming/"
"""In the data store: uploaded datasets and models. A new object starts the training workflow."""
AGAIN = "incoming/again/"
"""In the data store: requests to train again. A new object starts the training workflow, as a dataset does."""
FORECAST = "forecast.json"
"""In the data store: a forecast of the grid, which its owner puts there. The window of a schedule may name it."""
DATASETS = "datasets/"
"""In the data store: prepared datasets, by digest."""
VERSIONS = "versions/"
"""In the models store: registered versions, by name."""
RUNS = "runs/"
"""In the models store: records of training runs."""
EXECUTIONS = ".executions/"
"""In the models store: a note of each execution of the workflow, what it began with and which run it works on."""
EXECUTIONS_BEFORE = "executions/"
"""Below the model's name: where version 0.1 put them. An execution may be under way when a stack is upgraded."""
NOTES = (EXECUTIONS, EXECUTIONS_BEFORE)
"""In the models store: where notes may be."""
ORIGIN = "origin.json"
"""In the models store, in the folder of a version that came from another stack: from which, and what it was there."""
APPROVALS = "approvals/"
"""In the models store: what persons decided about versions. No function may write it."""
STOPPED = ".stopped/"
"""In the models store: whether the stack is stopped, by whom, and how what was stopped was before. It is of no model:
`STACK` stands in place of one."""
STACK = "stack"
LIVE = "live.json"
"""In the models store: the live pointer."""
SUPERVISED = "supervised/"
"""In the models store: what the supervisor saw last, the live pointer among it."""
USAGE = "usage/"
"""In the models store: what each day used. Below a run, or the work on a job: what its calls used."""
RETRAINING = "retraining/"
"""In the models store: which trainings the function that watches has asked for, and why."""
WATCH = "watch/"
"""In the models store: how each day's captured rows compare with what the live version learnt from."""
TRUTHS = "truths/"
"""In the store of captures: what callers told later of rows that were answered, by the day on which they did."""
LABELLED = "labelled/"
"""In the store of captures: the captured rows of a day with their truths. In the data store: those of them that a
training was asked for on."""
CAPTURE_FILES = "files/"
"""In the captures store: what was captured on days that are over, in Parquet, by version and day."""
CAPTURE_INDEX = "index/"
"""In the captures store: for each such day, which files hold it, and what the objects used that they stand for."""
REFERENCES = "references/"
"""In the models store: the first captured rows of versions whose training nobody knows, as later ones are compared with
them."""
JOB_INPUTS = "in/"
"""In the jobs store: inputs. A new object is a job."""
JOB_CONTINUATIONS = ".again/"
"""In the jobs store: a new object here has an unfinished job continued."""
JOB_RESULTS = "out/"
"""In the jobs store: results."""
JOB_CONTINUATIONS_BEFORE = "in/.again/"
"""Below the model's name: where version 0.1 put them. A message about one may still wait when a stack is upgraded."""
JOB_WORK = ".work/"
"""In the jobs store: checkpoints of jobs that are under way."""
JOB_TICKETS = ".tickets/"
"""In the jobs store: what each job was submitted with, by whom, and whether it was cancelled."""
JOB_FAILURES = "dead/"
"""In the jobs store: why a message about a job became a dead letter."""
JOB_STATES = (JOB_INPUTS, JOB_RESULTS, JOB_WORK, JOB_TICKETS)
"""In the jobs store: what tells how a job stands."""
PASSING = (JOB_WORK, JOB_CONTINUATIONS)
"""In the jobs store: what is needed of a job only until it is done."""


def below(model: str, prefix: str) -> str:
    """Return where the objects of a model lie under a prefix."""
    return f"{prefix}{model}/" if prefix.startswith(".") else f"{model}/{prefix}"
