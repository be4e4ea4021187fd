"""Pages made on other machines: `--executor dask:tcp://host:8786`."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiready.batch.schedule import Maker, on
from aiready.errors import InfrastructureError, UsageError

PATIENCE = 15
"""Seconds to wait for a scheduler and its workers."""


@contextmanager
def cluster(address: str) -> Iterator[tuple[Maker, int]]:
    """Connect to a cluster; gives who makes pages there, and how many at once.

    Workers need this package and nothing else: no shared disk, no data folder. A worker that is lost gives its pages
    to the others.

    Raises
    ------
    UsageError
        The address names no kind of cluster that is known.
    InfrastructureError
        dask.distributed is not installed, nothing answers there, or there are no workers.
    """
    kind, _, where = address.partition(":")
    if kind != "dask" or not where:
        raise UsageError(f'--executor "{address}" is not known. Write it as dask:tcp://host:8786.')
    try:
        from distributed import Client
    except ImportError:
        raise InfrastructureError(
            "--executor dask needs dask.distributed, which is not installed. "
            'Install it with: pip install "aiready[dask]"'
        ) from None
    try:
        client = Client(where, timeout=PATIENCE, set_as_default=False)
        with client:
            client.wait_for_workers(1, timeout=PATIENCE)
            threads = sum(client.nthreads().values())
            yield on(client.get_executor(pure=False)), threads
    except (OSError, TimeoutError) as error:
        raise InfrastructureError(f"{where}: no Dask scheduler with workers answers ({error}).") from None
