"""The resources that a deployed stack has, by URN: names that an upgrade may not lose.

One file a stack. What holds data, or is known to clients, is listed with the inputs whose
change makes its provider replace it. `python -m tests.urns` adds what is new.
"""
