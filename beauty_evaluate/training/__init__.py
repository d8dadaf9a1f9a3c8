"""Learning a network, and writing what is left of it."""
