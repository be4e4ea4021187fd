"""From an executed notebook to one HTML file: no code, no script, no request."""

from aiready.pages.markup.exporter import HandoutExporter, exporter

__all__ = ["HandoutExporter", "exporter"]
