"""What notebooks hold: questions and their views, panels, and capture of rows that people type."""
