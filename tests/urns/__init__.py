"""The resources that a deployed stack has, by URN: names that an upgrade may not lose.

One file a stack. What holds data, or is known to clients, is listed with the inputs whose
change makes its provider replace it. `python -m tests.urns` adds what is new.

The names are those of Pulumi's engine. When the graphs that tests and previews draw took over the engine's
form of a URN (localcloud/engine/urn.py), no line here changed: the lists had left out the stack's type, which
only the test mocks put before what lies directly under the stack. Nothing was renamed.
"""
