#!/bin/sh
# `make` puts this into .venv/bin as sml: the command works in any folder.
bin=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH="$bin/../..${PYTHONPATH:+:$PYTHONPATH}" exec "$bin/python" -m sml "$@"
