"""Whose is it: every resource says its project, its stack, its component and, if it is for one alone, its model.

What a cloud lists or bills by labels gets them as labels (GCP) or tags (AWS). What takes neither, and can be described,
gets them as its description.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pulumi

LABEL_CHARACTERS = 63
"""Of a value: https://cloud.google.com/resource-manager/docs/labels-overview#requirements. A tag of AWS may be longer,
and takes every character that a project's, a stack's or a model's name can have:
https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""


class Labels:
    """A transformation that labels each resource; `models` has the model of each component that is for one alone."""

    def __init__(self, project: str, stack: str, models: Mapping[str, str]) -> None:
        self._common = {"project": project, "stack": stack}
        self._models = models
        self._components: dict[pulumi.Resource, str] = {}

    def __call__(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """Return the resource with its labels; None for what takes none."""
        component = self._components.get(args.opts.parent, args.name) if args.opts.parent else args.name
        self._components[args.resource] = component
        labels = {**self._common, "component": component}
        if component in self._models:
            labels["model"] = self._models[component]
        props, takes = dict(args.props or {}), type(args.resource)
        # A resource of GCP that takes labels may take tags, too, which are something else there.
        if hasattr(takes, "effective_labels"):
            props["labels"] = {key: label(value) for key, value in labels.items()}
        elif hasattr(takes, "user_labels"):
            props["user_labels"] = {key: label(value) for key, value in labels.items()}
        elif hasattr(takes, "tags"):
            props["tags"] = labels
        elif hasattr(takes, "description") and props.get("description") is None:
            props["description"] = ", ".join(f"{key} {value}" for key, value in labels.items())
        else:
            return None
        return pulumi.ResourceTransformationResult(props, args.opts)


def label(value: str) -> str:
    """Return a name as the value of a label of GCP."""
    return re.sub(r"[^a-z0-9_-]", "-", value.lower())[:LABEL_CHARACTERS]
