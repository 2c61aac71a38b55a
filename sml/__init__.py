"""The command `sml`: what people do with a stack, the one that is up on this machine or one in an account."""
