"""The program: settings -> cloud -> blueprint -> exports."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pulumi

from infra import blueprint, clouds
from infra.settings import Settings

settings = Settings.load()
for name, value in blueprint.build(clouds.find(settings.cloud), settings).items():
    pulumi.export(name, value)
