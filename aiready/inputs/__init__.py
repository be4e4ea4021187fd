"""From files and databases to checked tables: found, read, parsed, validated, every row accounted for."""
