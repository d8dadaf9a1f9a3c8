"""What the network looks at: arrays first, pictures in figures.py alone."""
