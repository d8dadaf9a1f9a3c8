"""The page: drop a photo, see the score and why."""
