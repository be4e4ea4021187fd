"""Entry point of the command `aiready`: a signal while it is being imported ends it with one line."""

from typing import NoReturn

from aiready.cli import stopping


def main() -> NoReturn:
    """Run the command line; until it handles signals itself nothing is written, so they end the process."""
    stopping.end_at_once()
    from aiready.cli.commands import main as run

    run()
