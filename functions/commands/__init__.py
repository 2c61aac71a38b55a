"""Commands that people run over a stack's stores, as processes of their own: they compose use cases as entries do."""
