"""Scores for people's photos."""
