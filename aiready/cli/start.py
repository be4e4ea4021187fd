"""The command `aiready` from its first moment: told to stop while it is still being imported, it says so and ends."""

from typing import NoReturn

from aiready.cli import stopping


def main() -> NoReturn:
    """Run the command line; until that listens to signals, nothing has been written, and they end the process."""
    stopping.end_at_once()
    from aiready.cli.commands import main as run

    run()
