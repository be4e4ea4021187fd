"""Export an executed notebook as one HTML file without code, scripts or network requests."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiready.pages.markup.exporter import HandoutExporter, shared_exporter

__all__ = ["HandoutExporter", "shared_exporter"]


def __getattr__(name: str) -> Any:
    """Import the exporter when it is first used: blocks of a page in a notebook need no nbconvert."""
    if name in __all__:
        from aiready.pages.markup import exporter

        return getattr(exporter, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
