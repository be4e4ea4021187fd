"""Estimators that several measures share: intervals, tests, survival, reliability, bootstrap."""
