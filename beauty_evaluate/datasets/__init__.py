"""Readers of data sets, their splits, and the way from photos to training batches."""
