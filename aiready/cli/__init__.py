"""The command `aiready`."""
