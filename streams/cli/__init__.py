"""The command line: one file for each command, each quick to import; what is heavy is imported when a command runs."""
