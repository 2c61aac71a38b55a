from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from infra.tier import Tier
from tests import architecture
from tests.architecture import RULES, WORDS, Rule
from tests.root import ROOT


def a_cloud(name: str, tier: Tier, *, built: bool = False) -> dict[str, str]:
    """All that a cloud of a tier has, in the smallest words."""
    things = {word: word.title() for word in WORDS}
    lines = [f"from infra.{name}.{WORDS[word]} import {thing}" for word, thing in things.items()]
    words = ", ".join(f"{word}={thing}" for word, thing in things.items())
    stated = f"name='{name}', tier={tier}, packing=Packing(built={built}), quotas=wants, {words}"
    made = {
        f"infra/{name}/__init__.py": "\n".join(
            [
                *lines,
                "from infra.archive import Packing",
                "from infra.vocabulary import Cloud",
                f"CLOUD = Cloud({stated})",
            ]
        ),
        **{f"infra/{name}/{WORDS[word]}.py": f"class {thing}: ..." for word, thing in things.items()},
        f"infra/{name}/access.py": "",
        f"infra/{name}/quotas.py": "",
        f"tests/graph_{name}.py": "",
        f"tests/infra/{name}_facts.py": "",
        f"tests/infra/{name}_breakages.py": "",
        f"tests/infra/{name}/whole.py": "",
        f"tests/infra/{name}/broken.py": "",
        f"Pulumi.{name}-dev.yaml": f"config:\n  serverless-ml:settings:\n    cloud: {name}\n",
    }
    if tier.includes(Tier.DEPLOYABLE):
        made |= {
            f"functions/adapters/{name}/__init__.py": "",
            f"functions/adapters/{name}/http.py": f"import os\nos.environ['X']\n{HANDLER}",
            f"functions/adapters/{name}/queue.py": f"from functions.adapters.{name} import http\n{MESSAGES}",
        }
    if tier.includes(Tier.DEPLOYABLE) and built:
        locks = ("framework.in", "predict.txt", "jobs.txt")
        made |= {f"functions/requirements/{name}/{lock}": "numpy==2.4.6" for lock in locks}
    if tier.includes(Tier.EMBEDDED):
        made |= {f"localcloud/{name}/resources/{noun}.py": "" for noun in ("__init__", *architecture.HANDLED)}
        made |= {
            f"localcloud/{name}/__init__.py": "",
            f"localcloud/requirements/{name}.in": "emulator==1",
            f"localcloud/requirements/{name}.txt": "emulator==1",
            f"tests/localcloud/on_{name}.py": "",
        }
    return made


HANDLER, MESSAGES = "def handler(entry): ...", "def messages(entry): ..."
GOOD = {
    "infra/__init__.py": "",
    "infra/__main__.py": "import pulumi\npulumi.export('a', 1)",
    "infra/settings.py": "import pulumi\nclass Settings:\n    found: pulumi.Config",
    "infra/vocabulary.py": "class Cloud: ...",
    "infra/function_spec.py": "class Http:\n    adapter: ClassVar = 'http.handler'\n"
    "class Messages:\n    adapter = 'queue.messages'",
    "infra/limits.py": "LIMITS = {'aws': 1, 'gcp': 2, 'stratus': 3, 'nimbus': 4}",
    **a_cloud("aws", Tier.EMBEDDED),
    **a_cloud("gcp", Tier.EMBEDDED, built=True),
    **a_cloud("stratus", Tier.DEPLOYABLE),
    **a_cloud("nimbus", Tier.PREVIEW, built=True),
    # A cloud's own, and no other's.
    "infra/gcp/project.py": "",
    "functions/adapters/gcp/push.py": "",
    "localcloud/gcp/resources/place.py": "",
    # Begun, and not promised yet.
    "functions/adapters/nimbus/http.py": "",
    "localcloud/stratus/resources/storage.py": "",
    "infra/gcp/storage.py": "from .project import where\nimport pulumi_gcp\nclass Store: ...",
    "infra/clouds.py": "import importlib\nimportlib.import_module(f'infra.{name}').CLOUD",
    "Pulumi.gcp-dev.yaml": 'config:\n  serverless-ml:settings:\n    cloud: "gcp"\n',
    "localcloud/cli/language_host.py": "{'PULUMI_CONFIG': config}",
    "localcloud/__main__.py": "from localcloud.commands import demo\nimport importlib\n"
    "importlib.import_module(f'localcloud.commands.{name}')",
    "localcloud/aws/session.py": "PARTITION = 'aws'",
    "functions/__init__.py": "",
    "functions/core/__init__.py": "",
    "functions/core/training/train.py": "import numpy\nnumpy.load('x', None, False)\nnumpy.save('x', y)\n"
    "if TYPE_CHECKING:\n    from functions.core.api import service\nelse:\n    from functions.core.jobs import job",
    "functions/core/onnx/session.py": "import ctypes\nfrom functions.core.onnx import library",
    "functions/core/onnx/library.py": "import ctypes",
    "functions/core/dataset/arrow_memory.py": "import ctypes",
    "functions/core/storage/objects.py": "if TYPE_CHECKING:\n    from functions.core.onnx import tensor",
    "localcloud/commands/demo.py": "from infra.clouds import find\nfrom doctor.clouds import find",
    "doctor/aws/account.py": "import boto3\nfrom infra.quotas import Want",
    "functions/core/serving/predictor.py": "import os\nfrom functions.core.onnx import session\nos.path.join('a')",
    "functions/entries/__init__.py": "",
    "functions/entries/predict.py": "from functions.core.serving import predictor",
    "functions/requirements/predict.txt": "numpy==2.4.6 --hash=sha256:00",
    "interface/layout.py": "import json",
    "models/catalogue.py": "isinstance(x, BringYourOwn)",
    "models/section.py": "import yaml\nyaml.safe_load('')",
    "models/feature.py": "import math\nfrom models.light import dataclass",
    "requirements/lock": "uv pip compile --no-emit-index-url --no-emit-find-links --output-file dev.txt",
    "pyproject.toml": "[project]\nname = 'serverless-ml'",
    "tests/graph.py": "def deploy(): ...",
    "tests/test_one.py": "def test_one(): ...",
}
GONE = "<gone>"
"""In the place of a text: the file is not there."""

BAD: list[tuple[Rule, str, str]] = [
    (architecture.directions, "infra/bundle.py", "import functions.core.onnx"),
    (architecture.directions, "infra/bundle.py", "def late():\n    from functions import core"),
    (architecture.directions, "infra/blueprint.py", "from infra.aws import storage"),
    (architecture.directions, "infra/blueprint.py", "from .gcp import CLOUD"),
    (architecture.directions, "infra/gcp/queue.py", "from infra import aws"),
    (architecture.directions, "infra/gcp/queue.py", "from ..aws import storage"),
    (architecture.directions, "infra/aws/queue.py", "from infra.blueprint import build\nclass Queue: ..."),
    (architecture.directions, "localcloud/gcp/queue.py", "from localcloud.aws import session"),
    (architecture.directions, "localcloud/commands/demo.py", "from localcloud.aws import Aws"),
    (architecture.directions, "infra/bundle.py", "from infra.gcp import CLOUD"),
    (architecture.resource_handlers_mirror_each_other, "localcloud/gcp/resources/queue.py", GONE),
    (architecture.resource_handlers_mirror_each_other, "localcloud/gcp/resources/__init__.py", GONE),
    (architecture.resource_handlers_mirror_each_other, "localcloud/azure/resources/queue.py", ""),
    (architecture.directions, "infra/bundle.py", "from localcloud.engine import stack"),
    (architecture.directions, "functions/core/runtime/step.py", "from localcloud.engine import stack"),
    (architecture.directions, "models/contract.py", "import localcloud"),
    (architecture.directions, "localcloud/commands/demo.py", "from functions.core.onnx import session"),
    (architecture.directions, "infra/aws/queue.py", "import boto3\nclass Queue: ..."),
    (architecture.directions, "infra/gcp/project.py", "from google.auth import default"),
    (architecture.directions, "infra/bundle.py", "from doctor.stack import Stack"),
    (architecture.directions, "functions/core/runtime/step.py", "from doctor.stack import Stack"),
    (architecture.directions, "models/contract.py", "import doctor"),
    (architecture.directions, "doctor/stack.py", "from localcloud.engine import stack"),
    (architecture.directions, "doctor/stack.py", "from functions.core.onnx import session"),
    (architecture.directions, "doctor/stack.py", "from doctor.aws import account"),
    (architecture.directions, "doctor/aws/checks.py", "from doctor.gcp import checks"),
    (architecture.one_reader_of_settings, "doctor/stack.py", "from pulumi import Config"),
    (architecture.the_embedded_clouds_stand_alone, "localcloud/engine/stack.py", "from doctor.stack import Stack"),
    (architecture.the_embedded_clouds_stand_alone, "localcloud/engine/stack.py", "from infra.settings import Settings"),
    (architecture.the_embedded_clouds_stand_alone, "localcloud/gcp/iam.py", "def late():\n    import models.catalogue"),
    (architecture.rooms_in_order, "functions/core/step.py", "x = 1"),
    (architecture.rooms_in_order, "functions/core/cellar/step.py", "x = 1"),
    (architecture.rooms_in_order, "functions/core/http/routes.py", "from functions.core.api import service"),
    (
        architecture.rooms_in_order,
        "functions/core/onnx/graph.py",
        "def late():\n    from functions.core import runtime",
    ),
    (
        architecture.imports_make_no_circle,
        "functions/core/onnx/library.py",
        "import ctypes\nif TYPE_CHECKING:\n    from functions.core.onnx.session import Session",
    ),
    (
        architecture.imports_make_no_circle,
        "functions/core/onnx/library.py",
        "import ctypes\ndef late():\n    from functions.core.onnx import session",
    ),
    (architecture.directions, "functions/core/runtime/step.py", "import pulumi_aws.s3"),
    (architecture.directions, "functions/core/runtime/step.py", "from infra.settings import Settings"),
    (architecture.directions, "functions/core/runtime/step.py", "from functions.adapters.aws import predict"),
    (architecture.directions, "functions/core/runtime/step.py", "from functions.entries import predict"),
    (architecture.directions, "functions/entries/predict.py", "from functions.adapters.aws import http"),
    (architecture.directions, "functions/adapters/gcp/push.py", "from functions.adapters.aws import http"),
    (architecture.directions, "models/contract.py", "from functions.core.onnx import session"),
    (architecture.one_reader_of_settings, "infra/bundle.py", "import pulumi\npulumi.Config('x').get('y')"),
    (architecture.one_reader_of_settings, "infra/gcp/project.py", "from pulumi import Config"),
    (architecture.one_reader_of_settings, "infra/__main__.py", "import pulumi\npulumi.Config()"),
    (
        architecture.only_adapters_read_the_environment,
        "functions/core/runtime/step.py",
        "import os\nos.environ.get('A')",
    ),
    (architecture.only_adapters_read_the_environment, "functions/core/runtime/step.py", "from os import environ"),
    (
        architecture.only_adapters_read_the_environment,
        "functions/core/runtime/step.py",
        "import os\ndef f():\n    return os.getenv('A')",
    ),
    (architecture.only_adapters_read_the_environment, "functions/entries/predict.py", "import os\nos.environ.get('A')"),
    (architecture.feature_is_standard_library_only, "models/feature.py", "import numpy as np"),
    (architecture.feature_is_standard_library_only, "models/feature.py", "from models.contract import Contract"),
    (architecture.feature_is_standard_library_only, "models/light.py", "from models.contract import Contract"),
    (architecture.one_binding_to_onnxruntime, "functions/core/runtime/step.py", "import onnxruntime as ort"),
    (
        architecture.one_binding_to_onnxruntime,
        "functions/core/onnx/library.py",
        "from onnxruntime import InferenceSession",
    ),
    (architecture.one_binding_to_onnxruntime, "functions/core/onnx/tensor.py", "from ctypes import byref"),
    (architecture.adapters_answer_every_trigger, "functions/adapters/gcp/http.py", GONE),
    (architecture.adapters_answer_every_trigger, "functions/adapters/stratus/http.py", GONE),
    (architecture.adapters_answer_every_trigger, "functions/adapters/stratus/queue.py", HANDLER),
    (architecture.adapters_answer_every_trigger, "functions/adapters/stratus/__init__.py", GONE),
    (architecture.adapters_answer_every_trigger, "functions/adapters/azure/http.py", HANDLER),
    (
        architecture.adapters_answer_every_trigger,
        "infra/function_spec.py",
        GOOD["infra/function_spec.py"] + "\nclass OnSchedule:\n    adapter = 'step.handler'",
    ),
    (
        architecture.adapters_answer_every_trigger,
        "infra/nimbus/__init__.py",
        a_cloud("nimbus", Tier.DEPLOYABLE)["infra/nimbus/__init__.py"],
    ),
    (architecture.interface_is_standard_library_only, "interface/layout.py", "import pydantic"),
    (architecture.interface_is_standard_library_only, "interface/layout.py", "from models.light import dataclass"),
    (architecture.interface_is_standard_library_only, "interface/layout.py", "def late():\n    import infra"),
    (architecture.clouds_mirror_each_other, "infra/gcp/access.py", GONE),
    (architecture.clouds_mirror_each_other, "infra/nimbus/queue.py", GONE),
    (architecture.clouds_mirror_each_other, "infra/gcp/workflow.py", GONE),
    (
        architecture.clouds_mirror_each_other,
        "infra/gcp/__init__.py",
        a_cloud("gcp", Tier.EMBEDDED, built=True)["infra/gcp/__init__.py"].replace("gcp.storage", "gcp.access"),
    ),
    (
        architecture.clouds_mirror_each_other,
        "infra/gcp/__init__.py",
        a_cloud("gcp", Tier.EMBEDDED, built=True)["infra/gcp/__init__.py"].replace(
            "schedule=Schedule", "schedule=None"
        ),
    ),
    (architecture.clouds_are_whole, "infra/limits.py", "LIMITS = {'aws': 1, 'gcp': 2, 'stratus': 3}"),
    (architecture.clouds_are_whole, "infra/limits.py", GONE),
    (architecture.clouds_are_whole, "localcloud/gcp/__init__.py", GONE),
    (architecture.clouds_are_whole, "localcloud/requirements/gcp.in", GONE),
    (architecture.clouds_are_whole, "localcloud/requirements/gcp.txt", GONE),
    (architecture.clouds_are_whole, "tests/localcloud/on_gcp.py", GONE),
    (architecture.clouds_are_whole, "tests/graph_gcp.py", GONE),
    (architecture.clouds_are_whole, "tests/infra/gcp/whole.py", GONE),
    (architecture.clouds_are_whole, "tests/infra/nimbus/whole.py", GONE),
    (architecture.clouds_are_whole, "tests/infra/nimbus/broken.py", GONE),
    (architecture.clouds_are_whole, "tests/infra/nimbus_facts.py", GONE),
    (architecture.clouds_are_whole, "tests/infra/nimbus_breakages.py", GONE),
    (architecture.clouds_are_whole, "functions/requirements/gcp/predict.txt", GONE),
    (architecture.clouds_are_whole, "functions/requirements/gcp/framework.in", GONE),
    *(
        (
            architecture.clouds_are_whole,
            "infra/stratus/__init__.py",
            a_cloud("stratus", Tier.DEPLOYABLE)["infra/stratus/__init__.py"].replace(stated, instead),
        )
        for stated, instead in (
            ("tier=Tier.DEPLOYABLE, ", ""),
            ("Tier.DEPLOYABLE", "'deployable'"),
            ("Tier.DEPLOYABLE", "Tier.FLOATING"),
            ("packing=Packing(built=False), ", ""),
            ("quotas=wants, ", ""),
            ("built=False", "built=True"),
        )
    ),
    (architecture.clouds_are_whole, "Pulumi.gcp-dev.yaml", GONE),
    (architecture.clouds_are_whole, "Pulumi.gcp-dev.yaml", "config: {x:settings: {cloud: gcpx}}"),
    (architecture.tests_are_collected, "tests/infra/storage.py", "class TestStore:\n    def test_it(self): ..."),
    (architecture.sizes, "infra/long.py", "x = 1\n" * 301),
    (architecture.sizes, "models/long.py", "def f():\n" + "    x = 1\n" * 60),
    (architecture.sizes, "infra/__main__.py", "x = 1\n" * 20),
    (architecture.no_case_for_a_cloud, "infra/bundle.py", "def f(cloud):\n    return 1 if cloud == 'aws' else 2"),
    (architecture.no_case_for_a_cloud, "infra/bundle.py", "def f(cloud):\n    return cloud.name in ('aws', 'gcp')"),
    (
        architecture.no_case_for_a_cloud,
        "functions/core/runtime/step.py",
        "match cloud:\n    case 'gcp':\n        x = 1",
    ),
    (architecture.one_choice_of_a_models_kind, "functions/core/runtime/step.py", "isinstance(x, BringYourOwn)"),
    (
        architecture.one_choice_of_a_models_kind,
        "functions/core/runtime/step.py",
        "match x:\n    case Contract(): ...",
    ),
    (architecture.nothing_is_unpickled, "functions/core/runtime/step.py", "import pickle"),
    (architecture.nothing_is_unpickled, "functions/core/runtime/step.py", "from joblib import load"),
    (architecture.nothing_is_unpickled, "functions/core/runtime/step.py", "import yaml\nyaml.load('')"),
    (
        architecture.nothing_is_unpickled,
        "functions/core/runtime/step.py",
        "import numpy\nnumpy.load('x', allow_pickle=True)",
    ),
    (architecture.nothing_is_unpickled, "functions/core/runtime/step.py", "exec('x = 1')"),
    # The same, written in other ways.
    *(
        (architecture.directions, path, text)
        for path, text in (
            ("infra/bundle.py", "import importlib as i\ni.import_module('functions.core.onnx')"),
            ("infra/bundle.py", "from importlib import import_module as load\nload('.core', package='functions')"),
            ("infra/bundle.py", "__import__('localcloud.engine')"),
            ("infra/bundle.py", "import runpy\nrunpy.run_module(mod_name='localcloud')"),
            ("infra/bundle.py", "from infra import *"),
            ("infra/bundle.py", "import infra as i\ni.aws.CLOUD"),
            ("infra/bundle.py", "import infra\ngetattr(infra, 'blueprint').draw()"),
            ("infra/aws/access.py", "import pulumi_gcp"),
            ("infra/aws/access.py", "from pulumi_gcp.storage import Bucket"),
            ("infra/aws/access.py", "import pulumi_azure_native"),
            ("infra/blueprint.py", "import pulumi_aws as cloud"),
            ("infra/settings.py", "import pulumi_gcp.storage"),
            ("infra/vocabulary.py", "import pulumi_aws_native\nclass Cloud: ..."),
            ("localcloud/gcp/queue.py", "import pulumi_aws"),
            ("infra/settings.py", "from infra.blueprint import draw"),
            ("infra/vocabulary.py", "from infra import blueprint\nclass Cloud: ..."),
            ("infra/bundle.py", "import tests.graph"),
            ("infra/bundle.py", "from bench import cold"),
            ("functions/core/runtime/step.py", "from tests import graph"),
            ("functions/core/runtime/step.py", "import bench.cold"),
            ("functions/core/runtime/step.py", "import pulumi_azure_native"),
            ("models/contract.py", "from tests.graph import deploy"),
            ("models/contract.py", "import bench"),
            ("models/contract.py", "import pulumi_aws"),
            ("models/contract.py", "import pulumi_random"),
            ("localcloud/engine/stack.py", "from tests.graph import deploy"),
            ("localcloud/commands/demo.py", "import bench.cold"),
            ("functions/adapters/common.py", "from functions.adapters.aws import http"),
            ("functions/adapters/__init__.py", "from .gcp import push"),
        )
    ),
    *(
        (architecture.rooms_in_order, path, text)
        for path, text in (
            ("functions/core/http/routes.py", "import functions.core\nfunctions.core.api.service.answer()"),
            ("functions/core/http/routes.py", "import functions.core as core\ncore.api.service.answer()"),
            ("functions/core/http/routes.py", "from functions import core\ncore.api.service.answer()"),
            ("functions/core/http/routes.py", "from ..api import service"),
            ("functions/core/http/routes.py", "from .. import api"),
            ("functions/core/http/routes.py", "from functions.core import *"),
            ("functions/core/http/routes.py", "if not TYPE_CHECKING:\n    from functions.core.api import service"),
            ("functions/core/http/routes.py", "if TYPE_CHECKING:\n    a = 1\nelse:\n    import functions.core.api"),
            (
                "functions/core/http/routes.py",
                "import importlib\nimportlib.import_module('functions.core.api.service')",
            ),
            ("functions/core/__init__.py", "from functions.core.onnx import session"),
            ("functions/core/__init__.py", "from . import http"),
            ("functions/__init__.py", "from functions.core.http import routes"),
        )
    ),
    *(
        (architecture.the_embedded_clouds_stand_alone, path, text)
        for path, text in (
            ("localcloud/engine/stack.py", "from localcloud.commands import demo"),
            ("localcloud/engine/stack.py", "from ..commands.demo import find"),
            ("localcloud/gcp/queue.py", "import localcloud\nlocalcloud.commands.demo.find()"),
            ("localcloud/engine/stack.py", "__import__('infra.settings')"),
        )
    ),
    *(
        (architecture.modules_are_imported_by_a_written_name, path, text)
        for path, text in (
            ("functions/core/runtime/step.py", "import importlib\nimportlib.import_module(name)"),
            (
                "functions/core/runtime/step.py",
                "from importlib import import_module as load\nload(f'functions.{name}')",
            ),
            ("functions/core/runtime/step.py", "__import__(name)"),
            ("functions/core/runtime/step.py", "import importlib\nlist(map(importlib.import_module, names))"),
            ("functions/core/runtime/step.py", "import importlib\ngetattr(importlib, 'import_module')(name)"),
            ("functions/core/runtime/step.py", "import runpy\nrunpy.run_path('step.py')"),
            ("models/contract.py", "import importlib.util\nimportlib.util.spec_from_file_location('a', 'a.py')"),
            ("interface/layout.py", "import runpy\nrunpy.run_module(name)"),
            ("infra/bundle.py", "import importlib\nimportlib.import_module(name)"),
            ("localcloud/commands/demo.py", "import importlib\nimportlib.import_module(name)"),
        )
    ),
    *(
        (architecture.one_reader_of_settings, path, text)
        for path, text in (
            ("infra/bundle.py", "import pulumi as p\np.Config('x')"),
            ("infra/bundle.py", "from pulumi import config\nconfig.Config('x')"),
            ("infra/bundle.py", "from pulumi.config import Config"),
            ("infra/bundle.py", "from pulumi import *"),
            ("infra/bundle.py", "import pulumi\npulumi.runtime.get_config('x:y')"),
            ("infra/bundle.py", "from pulumi.runtime.config import get_config"),
            ("infra/bundle.py", "import pulumi\ngetattr(pulumi, 'Config')('x')"),
            ("localcloud/engine/stack.py", "import os\nos.environ['PULUMI_CONFIG']"),
        )
    ),
    *(
        (architecture.only_adapters_read_the_environment, path, text)
        for path, text in (
            ("functions/core/runtime/step.py", "import os as o\no.environ.get('A')"),
            ("functions/core/runtime/step.py", "from os import environ as e"),
            ("functions/core/runtime/step.py", "from os import *"),
            ("functions/core/runtime/step.py", "import os\ngetattr(os, 'environ')"),
            ("functions/core/runtime/step.py", "import os.path\nos.path.expandvars('$A')"),
            ("functions/core/runtime/step.py", "from os.path import expandvars"),
            ("functions/core/runtime/step.py", "from pathlib import Path\nPath.home()"),
            ("functions/core/runtime/step.py", "import os\nos.unsetenv('A')"),
            ("functions/service.py", "import os\nos.environ['A']"),
            ("models/section.py", "import os\nos.environ['A']"),
            ("models/tabular/training.py", "from os import getenv"),
            ("interface/layout.py", "import os\nos.environ['A']"),
        )
    ),
    *(
        (architecture.one_binding_to_onnxruntime, path, text)
        for path, text in (
            ("models/section.py", "import onnxruntime"),
            ("models/section.py", "import ctypes"),
            ("functions/core/onnx/tensor.py", "import _ctypes"),
            ("functions/core/dataset/column.py", "import ctypes"),
            ("functions/core/onnx/tensor.py", "from cffi import FFI"),
            ("functions/core/onnx/tensor.py", "import importlib\nimportlib.import_module('ctypes')"),
        )
    ),
    *(
        (
            architecture.clouds_are_whole,
            "infra/nimbus/__init__.py",
            a_cloud("nimbus", Tier.PREVIEW, built=True)["infra/nimbus/__init__.py"].replace("name='nimbus', ", stated),
        )
        for stated in ("name='clouds', ", "")
    ),
    *(
        (architecture.no_case_for_a_cloud, "infra/bundle.py", text)
        for text in (
            "def f(cloud):\n    return {'aws': 1, 'gcp': 2}[cloud.name]",
            "AWS = 'aws'\ndef f(cloud):\n    return cloud.name == AWS",
            "def f(cloud):\n    return cloud.name.upper() == 'AWS'",
            "def f(cloud):\n    return cloud.name.startswith('a')",
            "def f(settings):\n    return settings.cloud.endswith('ws')",
            "def f(cloud):\n    return cloud[0] == 'a'",
            "def f(cloud):\n    return cloud.name.startswith(('a', 'b'))",
            "CLOUDS = ('aws', 'gcp')",
        )
    ),
    (architecture.no_case_for_a_cloud, "infra/aws/access.py", "OTHER = 'gcp'"),
    (architecture.no_case_for_a_cloud, "infra/aws/access.py", "def f(cloud):\n    return cloud == 'aws'"),
    *(
        (architecture.one_choice_of_a_models_kind, "functions/core/runtime/step.py", text)
        for text in (
            "from models import contract\nisinstance(x, contract.Contract)",
            "from models.contract import Contract as C\nisinstance(x, C)",
            "from models.bring_your_own import BringYourOwn as B\nmatch x:\n    case B(): ...",
            "from models import contract\nmatch x:\n    case contract.Contract(): ...",
            "from models.contract import Contract\ntype(x) is Contract",
            "type(x).__name__ == 'BringYourOwn'",
            "x.task == 'finished'",
            "import builtins\nbuiltins.isinstance(x, BringYourOwn)",
        )
    ),
    *(
        (architecture.nothing_is_unpickled, path, text)
        for path, text in (
            ("models/section.py", "import pickle"),
            ("functions/core/runtime/step.py", "import _pickle"),
            ("functions/core/runtime/step.py", "import importlib\nimportlib.import_module('pickle')"),
            ("functions/core/runtime/step.py", "import numpy as np\nnp.load('x', None, True)"),
            ("functions/core/runtime/step.py", "from numpy import load as read\nread('x', None, True)"),
            ("functions/core/runtime/step.py", "from numpy.lib import format\nformat.read_array(file, True)"),
            ("functions/core/runtime/step.py", "import yaml as y\ny.load('', y.Loader)"),
            ("functions/core/runtime/step.py", "from yaml import unsafe_load as load\nload('')"),
            ("functions/core/runtime/step.py", "from yaml import CUnsafeLoader"),
            ("functions/core/runtime/step.py", "run = exec\nrun('x = 1')"),
            ("functions/core/runtime/step.py", "import builtins\nbuiltins.eval('1')"),
        )
    ),
    *(
        (architecture.requirements_name_no_host, path, text)
        for path, text in (
            ("requirements/dev.in", "-i mirror.example.org"),
            ("requirements/dev.in", "-f wheels"),
            ("requirements/dev.in", "numpy @ git+ssh://git@example.org/numpy"),
            ("requirements/dev.in", "numpy @ file:///wheels/numpy.whl"),
            ("requirements/lock", "uv pip compile --default-index example.org dev.in"),
            ("requirements/lock", "uv pip compile --find-links wheels dev.in"),
            ("pyproject.toml", "[[tool.uv.index]]\nurl = 'https://example.org/simple'"),
        )
    ),
    (
        architecture.only_places_are_refused_by_a_cloud,
        "infra/aws/queue.py",
        "import pulumi\nclass Queue:\n    def __init__(self):\n        raise pulumi.RunError('attempts')",
    ),
    (
        architecture.only_places_are_refused_by_a_cloud,
        "infra/gcp/project.py",
        "from pulumi import RunError\ndef region():\n    raise RunError('gcp:region')",
    ),
    (architecture.no_partition_is_written, "infra/bundle.py", "x = 'arn:aws:states:::lambda:invoke'"),
    (architecture.no_partition_is_written, "functions/core/runtime/step.py", "x = f'arn:aws-cn:s3:::{y}'"),
    (architecture.requirements_name_no_host, "functions/requirements/predict.txt", "--index-url https://example.org"),
    (architecture.requirements_name_no_host, "models/churn/requirements.txt", "--index-url https://example.org"),
    (architecture.requirements_name_no_host, "requirements/dev.in", "numpy @ https://example.org/numpy.whl"),
]

LOOK = """
import importlib, json, os, sys
from functools import wraps

import pulumi

noticed, writing = [], os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND
started = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork")
changed = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.rmtree")
spoken = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo")
root, names = sys.argv[1], json.loads(sys.argv[2])
house = tuple(os.path.join(root, package) for package in ("infra", "localcloud", "doctor"))

def ours():
    # Not what a library does while it is itself being imported.
    frame = sys._getframe(2)
    while frame is not None and not frame.f_code.co_filename.startswith(house):
        if frame.f_code.co_name == "<module>":
            return False
        frame = frame.f_back
    return frame is not None

def notice(event, arguments):
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & writing and arguments[0] != os.devnull
    if (writes or event in (*started, *changed, *spoken)) and ours():
        noticed.append(f"writes {arguments[0]}" if writes else f"{event} {arguments}")

def registering(init):
    @wraps(init)
    def wrapped(self, kind, name, *arguments, **more):
        noticed.append(f"registers {kind} {name}")
        return init(self, kind, name, *arguments, **more)
    return wrapped

pulumi.Resource.__init__ = registering(pulumi.Resource.__init__)
sys.addaudithook(notice)
failed = []
for name in names:
    try:
        importlib.import_module(name)
    except BaseException as problem:
        failed.append(f"{name}: {type(problem).__name__}: {problem}")
print(json.dumps(failed + noticed))
"""


def plant(root: Path, tree: dict[str, str]) -> Path:
    for path, text in tree.items():
        if text == GONE:
            continue
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("good"), GOOD)


@contextmanager
def changed(file: Path, text: str) -> Generator[None]:
    """Have another text in a file, or none where it is `GONE`, for as long as the block lasts."""
    before = file.read_bytes() if file.exists() else None
    file.unlink(missing_ok=True)
    plant(file.parent, {file.name: text})
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        if before is not None:
            file.write_bytes(before)


def modules(root: Path) -> list[str]:
    """Every module of infra/, localcloud/ and doctor/ that can be imported: all but those that are run."""
    found = [path for folder in ("infra", "localcloud", "doctor") for path in sorted((root / folder).rglob("*.py"))]
    paths = [path.relative_to(root) for path in found if path.name != "__main__.py"]
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]


def side_effects(root: Path, elsewhere: Path) -> list[str]:
    """What importing the program, localcloud and doctor does in a fresh process: no stack, another directory."""
    environment = {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(root), json.dumps(modules(root))],
        env=environment,
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1]) + done.stdout.splitlines()[:-1]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_its_rules(rule: Rule) -> None:
    problems = rule(ROOT)
    assert not problems, "\n".join(["", *problems])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_tree_breaks_no_rule(rule: Rule, good: Path) -> None:
    assert rule(good) == []


@pytest.mark.parametrize(("broken", "path", "text"), BAD)
def test_a_bad_tree_breaks_its_rule_and_no_other(broken: Rule, path: str, text: str, good: Path) -> None:
    with changed(good / path, text):
        assert [rule.__name__ for rule in RULES if rule(good)] == [broken.__name__]


def test_every_rule_has_been_seen_to_fail() -> None:
    assert {rule.__name__ for rule in RULES} == {rule.__name__ for rule, _, _ in BAD}


def test_the_rules_look_at_files_that_are_there() -> None:
    assert set(architecture.clouds(ROOT)) >= {"aws", "gcp"}
    for folder in (
        "infra",
        "localcloud",
        "doctor",
        "functions/adapters",
        "models",
        "tests",
        *(f"functions/core/{workspace}" for workspace in architecture.ROOMS),
    ):
        assert any(architecture.files(ROOT, folder)), folder
    assert (ROOT / "models/feature.py").is_file()
    assert list((ROOT / "functions/requirements").glob("*.txt"))


@pytest.mark.integration
def test_importing_the_program_or_an_embedded_cloud_does_nothing(tmp_path: Path) -> None:
    assert side_effects(ROOT, tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
@pytest.mark.parametrize(
    ("text", "noticed"),
    [
        ("open('left-behind', 'w').close()", "writes left-behind"),
        ("from pathlib import Path\nPath('made').mkdir()", "os.mkdir"),
        ("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))", "socket.connect"),
        ("import subprocess\nsubprocess.run(['true'])", "subprocess.Popen"),
        ("import pulumi\npulumi.Config('serverless-ml').require('settings')", "ConfigMissingError"),
        ("import pulumi_aws\npulumi_aws.s3.Bucket('data')", "registers aws:s3/bucket:Bucket data"),
        ("import tempfile\ntempfile.TemporaryFile()", "writes"),
        ("print('hello')", "hello"),
    ],
)
def test_work_at_import_is_noticed(text: str, noticed: str, tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    elsewhere.mkdir()
    plant(root, {"infra/__init__.py": "", "infra/bad.py": dedent(text)})
    assert any(noticed in effect for effect in side_effects(root, elsewhere)), side_effects(root, elsewhere)
