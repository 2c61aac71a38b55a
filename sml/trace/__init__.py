"""Traces of a stack, read from the logs of its functions."""
