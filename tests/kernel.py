"""The tests compute as functions do. A plugin, since pytest-randomly loads numpy before any conftest is read."""

from __future__ import annotations

import os

from infra.processor import arithmetic, here

os.environ.update(arithmetic(here()))
