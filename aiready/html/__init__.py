"""From an executed notebook to one HTML file: no code, no script, no request."""

from aiready.html.exporter import HandoutExporter

__all__ = ["HandoutExporter"]
