"""From a photo to aligned faces."""
