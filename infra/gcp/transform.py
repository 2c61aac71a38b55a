"""The transform by which a topic of announcements drops those that nobody asked for.

Cloud Storage takes ten notifications of an event for one bucket, each with one prefix
(https://cloud.google.com/storage/docs/pubsub-notifications). So a bucket has one without a prefix, and its
topic compares the key, which is the message's attribute `objectId`, with every model and prefix. What a
transform of a topic returns `null` for is never stored, and reaches no subscription
(https://cloud.google.com/pubsub/docs/smts/udfs-overview).
"""

from __future__ import annotations

import re

import pulumi_gcp as gcp

from infra.keys import Keys

FUNCTION = "announced"
REDRIVEN = "redriven"
"""The attribute, with any value, of a dead letter that is sent back: it passes though its model is gone by now,
to become a dead letter again. Dropped here it would be lost. docs/jobs.md sets it."""
_PLAIN = re.compile(r"[A-Za-z0-9_./-]*")


def announced(keys: Keys) -> gcp.pubsub.TopicMessageTransformArgsDict:
    """Return the transform that passes announcements of `keys`, whatever is sent back, and what announces no object.

    It never fails: the publisher of a message whose transform does would have to publish it again. Raise
    `ValueError` for a model or prefix that has a character other than letters, digits and `_ . / -`.
    """
    return {"javascript_udf": {"function_name": FUNCTION, "code": _code(keys)}}


def plain(text: str) -> str:
    """Return a text that needs no escape in CEL. Raise `ValueError` for any other."""
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"prefix {text!r}: letters, digits and _ . / - are accepted")
    return text


def _code(keys: Keys) -> str:
    first = [prefix for prefix in keys.prefixes if prefix.startswith(".")]
    behind = [prefix for prefix in keys.prefixes if prefix not in first]
    before, models, after = ("|".join(map(_escaped, words)) for words in (first, keys.models, behind))
    # An empty prefix is every key of a model.
    passes = "found" if "" in behind else "(found && (found[1] || found[2]))"
    # The models are in it once: they are most of it. A prefix stands before a model's name or behind it.
    return (
        f"function {FUNCTION}(message, metadata) {{\n"
        "  const attributes = message.attributes || {};\n"
        "  const key = attributes.objectId;\n"
        f"  const found = /^({before}|)(?:{models})\\/({after}|)/.exec(key);\n"
        f"  return key === undefined || attributes.{REDRIVEN} || {passes} ? message : null;\n"
        "}\n"
    )


def _escaped(text: str) -> str:
    return re.sub(r"[./]", lambda mark: f"\\{mark[0]}", plain(text))
