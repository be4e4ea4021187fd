"""What the notebooks use: views that answer questions, interactive panels, and saving of rows that people type."""
