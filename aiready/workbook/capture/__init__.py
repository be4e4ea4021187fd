"""Rows that people type in notebooks: boards, canvases, plans and answers, and how they are saved."""
