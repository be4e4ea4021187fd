"""The instrument as data: barriers, items, indicators, settings and their translations, read from files."""
