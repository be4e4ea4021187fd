"""Generate the sample organisation: `python -m tools.sample data/sample` writes its data folder."""
