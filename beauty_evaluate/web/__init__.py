"""The page: the scorer of `use.py` behind a browser and a small API."""
