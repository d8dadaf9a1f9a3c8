"""What moves a score: arrays only, in rating points. What people look at is drawn and written by `reporting`."""

from beauty_evaluate.explain.job import Explanation, check_regions, explain

__all__ = ["Explanation", "check_regions", "explain"]
