"""The log of looks at test parts: photos that were looked at often are no test any more."""

import json
import time
from pathlib import Path

FILE = "looks.jsonl"


def log_look(folder: Path, data_set: str, photos: str, count: int, commit: str, **more: str) -> None:
    """Add a line that says that a test part was looked at.

    Args:
        folder: Of the run; the line goes into its `looks.jsonl`.
        data_set: Title.
        photos: Which list of it, such as `60-40 test`.
        count: How many photos.
        commit: That the code stands at.
        more: What else there is to say, such as the rater.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> log_look(folder, "London", "test", 102, "", rater="six_block")
        >>> json.loads((folder / FILE).read_text())["rater"]
        'six_block'
    """
    look = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "list": photos,
        "data_set": data_set,
        "photos": count,
        "commit": commit,
        **more,
    }
    with open(folder / FILE, "a", encoding="utf-8") as file:
        file.write(json.dumps(look) + "\n")
