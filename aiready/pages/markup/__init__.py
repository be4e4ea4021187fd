"""From an executed notebook to one HTML file: no code, no script, no request."""

from aiready.pages.markup.exporter import HandoutExporter, shared_exporter

__all__ = ["HandoutExporter", "shared_exporter"]
