"""The generator of the sample organisation: `python -m tools.sample data/sample` writes it anew."""
