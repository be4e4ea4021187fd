"""Read files and databases into checked tables: discover, read, parse, validate, and account for every row."""
