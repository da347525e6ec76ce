"""The command line: what operators and integration developers do from a shell."""
