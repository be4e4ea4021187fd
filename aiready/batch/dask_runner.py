"""Make pages on other machines: `--executor dask:tcp://host:8786`."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiready.batch.schedule import SubmitPage, submit_to
from aiready.errors import InfrastructureError, UsageError

CONNECT_TIMEOUT = 15
"""Seconds to wait for a scheduler and its workers."""


@contextmanager
def cluster(address: str) -> Iterator[tuple[SubmitPage, int]]:
    """Connect to a cluster; yields the function that submits a page to it, and its number of threads.

    Workers need this package and nothing else: no shared disk, no data folder. The pages of a lost worker go to
    the others.

    Raises
    ------
    UsageError
        The address names an unknown kind of cluster.
    InfrastructureError
        dask.distributed is not installed, nothing answers at the address, or there are no workers.
    """
    kind, _, scheduler = address.partition(":")
    if kind != "dask" or not scheduler:
        raise UsageError(f'--executor "{address}" is not known. Write it as dask:tcp://host:8786.')
    try:
        from distributed import Client
    except ImportError:
        raise InfrastructureError(
            "--executor dask needs dask.distributed, which is not installed. "
            'Install it with: pip install "aiready[dask]"'
        ) from None
    try:
        client = Client(scheduler, timeout=CONNECT_TIMEOUT, set_as_default=False)
        with client:
            client.wait_for_workers(1, timeout=CONNECT_TIMEOUT)
            threads = sum(client.nthreads().values())
            yield submit_to(client.get_executor(pure=False)), threads
    except (OSError, TimeoutError) as error:
        raise InfrastructureError(f"{scheduler}: no Dask scheduler with workers answers ({error}).") from None
