"""`python -m tradepost` and the `tradepost` command."""

from tradepost.surfaces.cli.main import main

if __name__ == "__main__":
    main()
