"""Statistical disclosure control: which figures are suppressed, within one run and across releases."""
