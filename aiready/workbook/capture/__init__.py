"""Rows that people type in notebooks (task boards, canvases, pilot plans, answers) and how they are saved."""
