"""What the notebooks use: interactive panels, and saving of rows that people type."""
