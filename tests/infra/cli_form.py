"""The form that the Pulumi CLI gives a stack's file whenever it writes one.

`pulumi config set` reads the file into the nodes of Go's yaml.v3, changes them and writes all of them again with an
indent of 2 (sdk/go/common/util/yamlutil). A file that has this form differs, after a change of one setting, by
that setting's line.
"""

from __future__ import annotations

import re

import yaml

INDENT = 2
FLOAT = "tag:yaml.org,2002:float"


def written(text: str) -> str:
    """Return a stack's file as the CLI would write it: comments above the first key, then the values.

    A comment in any other place is left out, so a file that has one is never in this form.
    """
    head = re.match(r"(?:#.*\n)*", text)
    root = yaml.compose(text)
    assert head is not None
    assert root is not None
    return head[0] + "".join(f"{line}\n" for line in _block(root, text, 0))


def _block(node: yaml.Node, text: str, depth: int) -> list[str]:
    margin = " " * INDENT * depth
    lines = []
    match node:
        case yaml.MappingNode() if not node.flow_style:
            for key, value in node.value:
                lines += _entry(f"{margin}{_inline(key, text)}:", value, text, depth)
        case yaml.SequenceNode() if not node.flow_style:
            for item in node.value:
                lines += _entry(f"{margin}-", item, text, depth)
        case _:
            lines.append(margin + _inline(node, text))
    return lines


def _entry(start: str, value: yaml.Node, text: str, depth: int) -> list[str]:
    if isinstance(value, yaml.CollectionNode) and not value.flow_style:
        return [start, *_block(value, text, depth + 1)]
    return [f"{start} {_inline(value, text)}"]


def _inline(node: yaml.Node, text: str) -> str:
    match node:
        case yaml.MappingNode():
            return f"{{{', '.join(f'{_inline(key, text)}: {_inline(value, text)}' for key, value in node.value)}}}"
        case yaml.SequenceNode():
            return f"[{', '.join(_inline(item, text) for item in node.value)}]"
        case yaml.ScalarNode(tag=tag) if tag == FLOAT:
            return f"{float(node.value):g}"  # a configuration's numbers are JSON's: 1.0 is written as 1
        case _:
            return text[node.start_mark.index : node.end_mark.index]
