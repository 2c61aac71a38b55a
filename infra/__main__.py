"""The program: settings -> cloud -> blueprint -> exports."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pulumi

from infra import blueprint, clouds, function_checks
from infra.function_table import FUNCTIONS
from infra.settings import Settings

function_checks.require(FUNCTIONS)
settings = Settings.load()
for name, value in blueprint.build(clouds.find(settings.cloud), settings).items():
    pulumi.export(name, value)
