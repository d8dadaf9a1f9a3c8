"""How good a rater is: numbers here, tables and pictures in `reporting`."""
