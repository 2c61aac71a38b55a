#!/bin/sh
# `make` puts this into .venv/bin as sml: the command works in any folder. What it was typed as is told, so that the
# commands which it proposes can be pasted.
bin=$(cd "$(dirname "$0")" && pwd)
SML_TYPED="$0" PYTHONPATH="$bin/../..${PYTHONPATH:+:$PYTHONPATH}" exec "$bin/python" -m sml "$@"
