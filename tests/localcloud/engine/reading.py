"""The files that both readers of stack files are fed: what each says, and what the Pulumi CLI reads in it.

tests/engine/test_stack_files.py holds this table to the CLI, test_reading.py holds our reader to the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.engine.stack_file import PLACEHOLDER

PROJECT = "name: house\nruntime: python\n"


@dataclass(frozen=True)
class Refused:
    """Neither reader takes the file; ours says this of it."""

    sentence: str


@dataclass(frozen=True)
class Stricter(Refused):
    """The CLI takes the file, and ours does not: for this reason."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Files:
    """A stack's file below its project's, and the configuration that is read in them, by full keys."""

    stack: str | bytes
    project: str = PROJECT
    reads: Mapping[str, Any] | Refused


SPELLED: Mapping[str, Any] = {
    "1e3": 1000,
    "1E+3": 1000,
    "1.5e3": 1500,
    "1e-7": 1e-07,
    "1.0": 1,
    "1.50": 1.5,
    "5.": 5,
    ".5": 0.5,
    "+.5": 0.5,
    "+1": 1,
    "-1": -1,
    "-0": 0,
    "010": 8,
    "-010": -8,
    "08": 8,
    "0777": 511,
    "0o17": 15,
    "0O17": 15,
    "0o8": "0o8",
    "0x1F": 31,
    "0X1f": 31,
    "-0x1F": -31,
    "0x": "0x",
    "0b11": 3,
    "0b12": "0b12",
    "1_000": 1000,
    "0x1_0": 16,
    "1__0": 10,
    "_1": "_1",
    ".5_0": 0.5,
    "._5": "._5",
    "1:30": "1:30",
    "12:30:45": "12:30:45",
    "1e400": "1e400",
    "9223372036854775808": 9.223372036854776e18,
    "18446744073709551616": 1.8446744073709552e19,
    "1e21": 1e21,
    "yes": "yes",
    "Yes": "Yes",
    "no": "no",
    "on": "on",
    "off": "off",
    "y": "y",
    "n": "n",
    "true": True,
    "True": True,
    "TRUE": True,
    "tRue": "tRue",
    "false": False,
    "~": None,
    "null": None,
    "NULL": None,
    '""': "",
    '"1e3"': "1e3",
    "=": "=",
    "2026-01-01": "2026-01-01 00:00:00 +0000 UTC",
    "2026-1-2": "2026-01-02 00:00:00 +0000 UTC",
    "2026-02-30": "2026-02-30",
    "2026-01-02T03:04:05Z": "2026-01-02 03:04:05 +0000 UTC",
    "2026-01-02T03:04:05.5+02:00": "2026-01-02 03:04:05.5 +0200 +0200",
}
"""A scalar, as it is spelled, and its value in JSON."""
BODIES: Mapping[str | bytes, Any] = {
    "config:\n  house:x: 1\n  house:x: 2\n": Refused("line 3: the key house:x is there twice, first in line 2"),
    "config:\n  house:o:\n    a: 1\n    b: 2\n    a: 3\n": Refused("line 5: the key a is there twice, first in line 3"),
    'config:\n  house:o: {a: 1, "a": 2}\n': Refused("line 2: the key a is there twice, first in line 2"),
    "unused: {a: 1, a: 2}\nconfig:\n  house:x: 1\n": Refused("line 1: the key a is there twice, first in line 1"),
    "config:\n  house:o: {<<: {a: 1, a: 2}}\n": Refused("line 2: the key a is there twice, first in line 2"),
    "config:\n  x: 2\n": {"house:x": "2"},
    "config:\n  house:config:b: 2\n": {"house:b": "2"},
    "config:\n  a:b:c: 2\n": Refused("config: a:b:c is no key; accepted: <namespace>:<name>"),
    "config:\n  5: x\n": Refused("config: 5 is no key; accepted: <namespace>:<name>"),
    "config:\n  house:o: {5: x}\n": {"house:o": {"5": "x"}},
    "config:\n  house:o: {1.50: x, 1e3: y}\n": {"house:o": {"1.5": "x", "1000": "y"}},
    "config:\n  house:o: {2026-01-01: x}\n": {"house:o": {"2026-01-01 00:00:00 +0000 UTC": "x"}},
    "config:\n  house:o: {? [a] : x}\n": Refused("line 2: a key is a text; quote it"),
    "x: &a {v: 1}\nconfig:\n  house:o: *a\n": {"house:o": {"v": 1}},
    "config:\n  house:o: [&a 1, *a, &a 2, *a]\n": {"house:o": [1, 1, 2, 2]},
    "config:\n  house:o: {a: &v 010, b: *v}\n": {"house:o": {"a": 8, "b": 8}},
    "config:\n  house:o: *a\n": Refused("line 2: found undefined alias 'a'"),
    "config:\n  house:o: &a [*a]\n": Refused("nested deeper than 100 levels, or within itself by an alias"),
    "config:\n  house:o: &a {v: 1, w: 2}\n  house:p: {w: 3, <<: *a}\n": {
        "house:o": {"v": 1, "w": 2},
        "house:p": {"v": 1, "w": 3},
    },
    "config:\n  house:o: &a {v: 1, w: 2}\n  house:q: &b {v: 9, z: 1}\n  house:p: {<<: [*a, *b]}\n": {
        "house:o": {"v": 1, "w": 2},
        "house:p": {"v": 1, "w": 2, "z": 1},
        "house:q": {"v": 9, "z": 1},
    },
    "base: &a {house:x: 1}\nconfig:\n  <<: *a\n  house:y: 2\n": {"house:x": "1", "house:y": "2"},
    "config:\n  house:p: {<<: 3}\n": Refused(
        "line 2: expected a mapping or list of mappings for merging, but found scalar"
    ),
    'config:\n  house:p: {"<<": {a: 1}}\n': {"house:p": {"a": 1}},
    "config:\n  house:p: {<<: {a: 1}, <<: {b: 2}}\n": Refused("line 2: the key << is there twice, first in line 2"),
    "config:\n  house:o: {v: !!str 12}\n": {"house:o": {"v": "12"}},
    'config:\n  house:o: {v: !!int "12"}\n': {"house:o": {"v": 12}},
    'config:\n  house:o: {v: !!int "abc"}\n': Refused("line 2: 'abc' is no int"),
    "config:\n  house:o: {v: !!float 3}\n": {"house:o": {"v": 3}},
    "config:\n  house:o: {v: !!bool yes}\n": Refused("line 2: 'yes' is no bool"),
    "config:\n  house:o: {v: !!binary aGk=}\n  house:x: !!binary aGk=\n": {"house:o": {"v": "hi"}, "house:x": "hi"},
    "config:\n  house:o: !!set {? x, ? y}\n": {"house:o": {"x": None, "y": None}},
    "config:\n  house:o: !!omap [{a: 1}, {b: 2}]\n": {"house:o": [{"a": 1}, {"b": 2}]},
    "config:\n  house:o: {v: !foo bar, w: !foo 12}\n": {"house:o": {"v": "bar", "w": "12"}},
    "config:\n  house:o: !foo {a: 1}\n": {"house:o": {"a": 1}},
    "config:\n  house:o: {v: ! 12}\n": {"house:o": {"v": 12}},
    'config:\n  house:o: {v: ! "12"}\n': {"house:o": {"v": "12"}},
    "config:\n  house:o: {v: !e!foo 12}\n": Refused("line 2: found undefined tag handle '!e!'"),
    b"\xef\xbb\xbfconfig:\n  house:x: 1\n": {"house:x": "1"},
    "\ufeffconfig:\n  house:x: é\n".encode("utf-16-le"): {"house:x": "é"},
    "config:\r\n  house:x: 1\r\n  house:t: |\r\n    a\r\n    b\r\n": {"house:t": "a\nb\n", "house:x": "1"},
    "config:\r  house:x: 1\r": {"house:x": "1"},
    b"config:\n  house:x: \xe9\n": Refused("not UTF-8, at byte 19; save it as UTF-8"),
    b'config:\n  house:x: "a\x07b"\n': Refused(
        "not valid YAML: unacceptable character #x0007: special characters are not allowed"
    ),
    "config:\n\thouse:x: 1\n": Refused("line 2: found character '\\t' that cannot start any token"),
    "config:\n  house:x:\t1\n": {"house:x": "1"},
    "config:\n  house:x: 1\t\n": {"house:x": "1"},
    "config:\n  house:x: 1\n---\nconfig:\n  house:y: 2\n": {"house:x": "1"},
    "config:\n  house:x: 1\n---\n- [\n": {"house:x": "1"},
    "---\nconfig:\n  house:x: 1\n...\n": {"house:x": "1"},
    "%YAML 1.1\n---\nconfig:\n  house:x: yes\n": {"house:x": "yes"},
    "%YAML 1.2\n---\nconfig:\n  house:x: yes\n": Refused(
        "not valid YAML: the Pulumi CLI takes no other %YAML than 1.1; leave the line out"
    ),
    "": {},
    "# hi\n": {},
    "null\n": {},
    "config:\n": {},
    "config: [a]\n": Refused("config: a mapping is expected, such as `aws:region: eu-west-1`"),
    "config: abc\n": Refused("config: a mapping is expected, such as `aws:region: eu-west-1`"),
    "- a\n": Refused("a mapping is expected, such as `config:` in the first line; found a list"),
    "encryptionsalt: v1:x\n": {},
    "config:\n  house:t: |\n    a\n     b\n\n    c\n  house:f: >-\n    a\n    b\n\n    c\n": {
        "house:f": "a b\nc",
        "house:t": "a\n b\n\nc\n",
    },
    "config:\n  house:t: \"a\\tb\\u00e9\\x41\\n\"\n  house:s: 'it''s'\n": {"house:s": "it's", "house:t": "a\tbéA\n"},
    'config:\n  house:t: "a\\qb"\n': Refused("line 2: found unknown escape character 'q'"),
    "config:\n  house:t: a\n    b\n": {"house:t": "a b"},
    "config:\n  house:t: a #b\n  house:u: a#b\n": {"house:t": "a", "house:u": "a#b"},
    "config:\n  house:t:\n": {"house:t": ""},
    "config:\n  house:l: [1, a, true, null, 1.5, {b: c}]\n": {"house:l": [1, "a", True, None, 1.5, {"b": "c"}]},
    "config:\n  house:l: {a: {}, b: [], c: }\n": {"house:l": {"a": {}, "b": [], "c": None}},
    "config:\n  house:l: [1, 2, ]\n  house:o: {a: 1, }\n": {"house:l": [1, 2], "house:o": {"a": 1}},
    "config:\n  house:l: [1\n": Refused("line 3: expected ',' or ']', but got '<stream end>'"),
    "config:\n  house:o:\n    a: 1\n   b: 2\n": Refused(
        "line 4: expected <block end>, but found '<block mapping start>'"
    ),
    "config:\nhouse:x: 1\n": {},
    "config:\n  house:x: @a\n": Refused("line 2: found character '@' that cannot start any token"),
    "config:\n  house:x: *\n": Refused("line 2: expected alphabetic or numeric character, but found '\\n'"),
    "config:\n  house:x: a: b\n": Refused("line 2: mapping values are not allowed here"),
    "config:\n  house:l: [https://a.example]\n  house:o: {a:1}\n": {
        "house:l": ["https://a.example"],
        "house:o": {"a:1": None},
    },
    "config:\n  house:x:\n    secure: abc\n": {"house:x": PLACEHOLDER},
    "config:\n  house:o:\n    a: {secure: abc}\n    b: 1\n": {"house:o": PLACEHOLDER},
    "config:\n  house:o: [x, {secure: abc}]\n": {"house:o": PLACEHOLDER},
    "config:\n  house:x: {secure: abc, other: 1}\n": {"house:x": {"other": 1, "secure": "abc"}},
    "config:\n  house:x: {secure: 5}\n": {"house:x": {"secure": 5}},
    "config:\n  house:o: {a: {secure: abc, b: 1}}\n": {"house:o": {"a": {"b": 1, "secure": "abc"}}},
    "config:\n  house:x: &s {secure: abc}\n  house:y: *s\n": {"house:x": PLACEHOLDER, "house:y": PLACEHOLDER},
    "config:\n  x: {secure: abc}\n": {"house:x": PLACEHOLDER},
    "config:\n  house:x: 1.50\n  house:y: 100000000000000000000000.0\n  house:z: 0.1e-6\n": {
        "house:x": "1.5",
        "house:y": "1e+23",
        "house:z": "1e-7",
    },
    "config:\n  house:a: 9223372036854775808\n  house:b: 0xFFFFFFFFFFFFFFFF\n  house:c: 1e20\n  house:d: 0.0000001\n": {
        "house:a": "9223372036854775808",
        "house:b": "18446744073709551615",
        "house:c": "100000000000000000000",
        "house:d": "1e-7",
    },
    "config:\n  house:o: {1: 1, 01: 2}\n": Stricter(
        "line 2: the key 1 is there twice, first in line 2", "the last one would be taken without a word"
    ),
    "config:\n  house:o: {true: 1, True: 2}\n": Stricter(
        "line 2: the key true is there twice, first in line 2", "the last one would be taken without a word"
    ),
    "config:\n  house:x: 1\n  x: 2\n": Stricter(
        "house:x is there twice, once as x", "which one is taken differs from run to run"
    ),
    "config:\n  ~: x\n": Stricter("line 2: a key is a text; quote it", "it would be left out without a word"),
    "config:\n  house:o: {~: x}\n": Stricter(
        "line 2: a key is a text; quote it", "it would be a key that Go writes for nothing"
    ),
    "unused: .nan\nconfig:\n  house:x: 1\n": Stricter(
        "line 1: .nan is no number that JSON can say; quote it to have a text",
        "no value of a stack file is a number that JSON cannot say",
    ),
    "config:\n  house:x: " + "[" * 120 + "]" * 120 + "\n": Stricter(
        "nested deeper than 100 levels", "no setting is half as deep"
    ),
    **{
        "a: &a [" + "x," * 99 + "x]\nb: &b [" + "*a," * 99 + "*a]\nc: [" + "*b," * 99 + "*b]\n": Refused(
            "1,020,304 values, counted at each alias"
        )
    },
}
"""A stack's file, below a project that says nothing."""
PROJECTS: Mapping[tuple[str, str], Any] = {
    ("config:\n  house:y: 2\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "2"},
    ("config:\n  y: {value: {a: 1}}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": {"a": 1}},
    ("config:\n  y: {a: 1}\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: a: there is no such key here; a value that is a mapping stands below `value:`"
    ),
    ("config:\n  y: [1, 2]\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": [1, 2]},
    ("config:\n  y: {type: string, default: abc}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "abc"},
    ("config:\n  y: {type: integer, default: abc}\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: the default is not of the type integer; accepted types: string, integer, boolean, array, object"
    ),
    ("config:\n  other:y: {type: string, default: abc}\n", "config:\n  house:x: 1\n"): Refused(
        "config: other:y: default, type: of another namespace than house; accepted: value"
    ),
    ("config:\n  other:y: {value: abc}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "other:y": "abc"},
    ("config:\n  other:y: {default: abc}\n", "config:\n  house:x: 1\n"): Refused(
        "config: other:y: default: of another namespace than house; accepted: value"
    ),
    ("config:\n  y: {default: abc}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "abc"},
    ("config:\n  y: {value: abc, default: x}\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: has both a value and a default; one of them is accepted"
    ),
    ("config:\n  y: {description: hi, value: abc}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "abc"},
    ("config:\n  x: {value: 9}\n", "config:\n  house:x: 1\n"): {"house:x": "1"},
    ("config:\n  other:o: {value: {a: 1, b: {c: 1, d: 2}}}\n", "config:\n  other:o: {b: {c: 5}}\n"): {
        "other:o": {"b": {"c": 5}}
    },
    (
        "config:\n  serverless-ml:settings: {value: {cloud: aws, models: [a], rollout: {patience: 2, steps: [1]}}}\n",
        "config:\n  serverless-ml:settings: {models: [b], rollout: {patience: 7}}\n",
    ): {"serverless-ml:settings": {"models": ["b"], "rollout": {"patience": 7}}},
    ("config:\n  other:o: {value: {a: {b: {c: 1, d: 2}}}}\n", "config:\n  other:o: {a: {b: {c: 5}}}\n"): {
        "other:o": {"a": {"b": {"c": 5}}}
    },
    ("config:\n  other:o: {value: {a: 1}}\n", "config:\n  other:o: {}\n"): {"other:o": {}},
    ("config:\n  other:l: {value: [1, 2]}\n", "config:\n  other:l: [3]\n"): {"other:l": [3]},
    ("config:\n  o: {value: {a: 1}}\n", "config:\n  o: null\n"): {"house:o": ""},
    ("config:\n  serverless-ml:settings:\n    value: {cloud: aws, models: [a]}\n", "config:\n  house:x: 1\n"): {
        "house:x": "1",
        "serverless-ml:settings": {"cloud": "aws", "models": ["a"]},
    },
    ("config:\n  serverless-ml:settings: {cloud: aws, models: [a]}\n", "config:\n  house:x: 1\n"): Refused(
        "config: serverless-ml:settings: cloud, models: there is no such key here; a value that is a mapping stands bel"
    ),
    ("config:\n  y: 2\n", ""): {"house:y": "2"},
    ("config:\n", "config:\n  house:x: 1\n"): {"house:x": "1"},
    ("config: [a]\n", "config:\n  house:x: 1\n"): Refused(
        "config: a mapping is expected, such as `aws:region: eu-west-1`"
    ),
    ("config:\n  y: 1\n  y: 2\n", "config:\n  house:x: 1\n"): Refused(
        "line 5: the key y is there twice, first in line 4"
    ),
    ("config:\n  y: {secure: abc}\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: secure: there is no such key here; a value that is a mapping stands below `value:`"
    ),
    ("config:\n  other:o: {value: {a: 1, b: 2}}\n", "config:\n  other:o: {a: {secure: abc}}\n"): {
        "other:o": PLACEHOLDER
    },
    ("config:\n  a:b:c: x\n", "config:\n  house:x: 1\n"): Refused(
        "config: a:b:c is no key; accepted: <namespace>:<name>"
    ),
    ("config:\n  5: x\n", "config:\n  house:x: 1\n"): Refused("config: 5 is no key; accepted: <namespace>:<name>"),
    ("config:\n  y: {value: null}\n", "config:\n  house:x: 1\n"): {"house:x": "1"},
    ("config:\n  y: 010\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "8"},
    ("config:\n  y: 1.5\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: accepted without `value:`: a text, a whole number, true, false or a list"
    ),
    ("config:\n  y: yes\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "yes"},
    ("config:\n  y: null\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: accepted without `value:`: a text, a whole number, true, false or a list"
    ),
    ("config:\n  y: {value: 1e3}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "1000"},
    ("config:\n  y: {value: 010}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "8"},
    ("config:\n  y: {value: 1.5}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "1.5"},
    ("config:\n  y: {value: [1, {a: 1.5}]}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": [1, {"a": 1.5}]},
    ("config:\n  y: {default: 1.5}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "1.5"},
    ("config:\n  y: {type: number, default: 1}\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: the default is not of the type number; accepted types: string, integer, boolean, array, object"
    ),
    ("config:\n  y: {type: string, default: 5}\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: the default is not of the type string; accepted types: string, integer, boolean, array, object"
    ),
    ('config:\n  y: {type: boolean, default: "true"}\n', "config:\n  house:x: 1\n"): {
        "house:x": "1",
        "house:y": "true",
    },
    ("config:\n  y: {type: array, default: [1]}\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: the default is not of the type array; accepted types: string, integer, boolean, array, object"
    ),
    ("config:\n  y: {type: array, items: {type: string}, default: [1]}\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: the default is not of the type array; accepted types: string, integer, boolean, array, object"
    ),
    ("config:\n  y: {value: 1, foo: 2}\n", "config:\n  house:x: 1\n"): Refused(
        "config: y: foo: there is no such key here; a value that is a mapping stands below `value:`"
    ),
    ("config:\n  y: {type: integer, default: 010}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "8"},
    ("config:\n  other:y: [1]\n", "config:\n  house:x: 1\n"): {"house:x": "1", "other:y": [1]},
    ("config:\n  other:y: 5\n", "config:\n  house:x: 1\n"): {"house:x": "1", "other:y": "5"},
    ("config:\n  y: {value: .nan}\n", "config:\n  house:x: 1\n"): Refused(
        "line 4: .nan is no number that JSON can say; quote it to have a text"
    ),
    ("config:\n  y: {description: a}\n", "config:\n  house:x: 1\n"): {"house:x": "1"},
    ("config:\n  y: [[1]]\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": [[1]]},
    ("config:\n  y: [{a: 1}]\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": [{"a": 1}]},
    ("config:\n  y: {value: false}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": "false"},
    ('config:\n  y: {value: "", default: }\n', "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": ""},
    ('config:\n  y: ""\n', "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": ""},
    ("config:\n  y: {value: {}}\n", "config:\n  house:x: 1\n"): {"house:x": "1", "house:y": {}},
}
"""What the project's file says besides its name, and a stack's file."""


def every() -> Iterator[Files]:
    """Yield all files of the tables."""
    for spelled, value in SPELLED.items():
        yield Files(stack=f"config:\n  house:o: {{v: {spelled}}}\n", reads={"house:o": {"v": value}})
    for text, reads in BODIES.items():
        yield Files(stack=text, reads=reads)
    for (project, stack), reads in PROJECTS.items():
        yield Files(project=PROJECT + project, stack=stack, reads=reads)


def write(files: Files, root: Path) -> None:
    """Write the files of the stack `a` and of its project into a folder."""
    (root / "Pulumi.yaml").write_text(files.project, encoding="utf-8")
    stack = files.stack if isinstance(files.stack, bytes) else files.stack.encode()
    (root / "Pulumi.a.yaml").write_bytes(stack)


def parsed(config: Mapping[str, str]) -> dict[str, Any]:
    """Return a configuration with objects and lists as such, and numbers as far as JSON promises them: 53 bits."""
    return {
        key: json.loads(text, parse_int=_number) if text[:1] in ("{", "[") else text for key, text in config.items()
    }


def _number(digits: str) -> int | float:
    return int(digits) if abs(int(digits)) < 2**53 else float(digits)
