"""The console: pages over a stack, for a browser on this machine."""
