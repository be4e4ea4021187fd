"""The instrument: barriers, items, indicators, settings and their translations, read from a folder of files."""
