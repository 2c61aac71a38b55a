"""Which memory a predict function should have: the real function is run at several sizes."""
