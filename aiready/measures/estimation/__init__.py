"""Estimators that several measures share: intervals, tests, survival, reliability, the bootstrap."""
