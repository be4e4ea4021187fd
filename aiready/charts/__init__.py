"""Charts: tidy table in, `alt.Chart` out, one function each; no aggregation inside."""
