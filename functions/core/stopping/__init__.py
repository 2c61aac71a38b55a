"""What stops a stack, and has it go on as it was."""
