"""`python -m tradepost` and the `tradepost` command."""

import sys

from tradepost.surfaces.cli.processes import PROCESSES, processes, run


def main() -> None:
    """Run the command line; a process that the supervisor starts does not wait for the verbs of operators."""
    if set(sys.argv[1:2]) & PROCESSES:
        run(processes)
    else:
        from tradepost.surfaces.cli.main import cli

        run(cli)


if __name__ == "__main__":
    main()
