"""Networks, the cards their weights travel with, and the light runtime."""
