"""Nobody identifiable: which figures are suppressed, within one run and across releases."""
