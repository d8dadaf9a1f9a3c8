"""How good a network is, and how that is told."""
