"""Export an executed notebook as one HTML file without code, scripts or network requests."""

from aiready.pages.markup.exporter import HandoutExporter, shared_exporter

__all__ = ["HandoutExporter", "shared_exporter"]
