"""Import large libraries in half the time."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ADDRESS_GRAMMAR = "rfc3987_syntax"


@contextmanager
def fast_imports() -> Iterator[None]:
    """Halve the time of imports in this block: no garbage collection, and no `rfc3987_syntax`.

    jsonschema takes a second to load that grammar of addresses, for a format check that no schema of a notebook or
    chart uses. It can be imported as usual after the block.
    """
    was_imported, gc_was_enabled = _ADDRESS_GRAMMAR in sys.modules, gc.isenabled()
    gc.disable()
    if not was_imported:
        sys.modules[_ADDRESS_GRAMMAR] = None  # type: ignore[assignment]  # Python's mark for "cannot be imported"
    try:
        yield
    finally:
        if not was_imported:
            sys.modules.pop(_ADDRESS_GRAMMAR, None)
        if gc_was_enabled:
            gc.enable()
