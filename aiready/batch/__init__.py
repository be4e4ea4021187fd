"""From an assessment to a folder of reports: one notebook run per page, and what is known of each run."""
