"""When and by which code something was made, for cards and logs."""

import os
import subprocess
import time
from pathlib import Path


def utc_now() -> str:
    """Date and time.

    Example:
        >>> utc_now()[-1]
        'Z'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def head_commit() -> str:
    """The commit the code stands at, `+` if it was changed since; empty outside a repository."""
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        result = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False, env=environment
        )
    except OSError:
        return ""
    return result.stdout.strip()
