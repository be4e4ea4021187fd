"""Input tables and their columns, waves, business units, and the closed list of measures."""
