"""Pages as one file each: Jinja2 templates, pictures inside, nothing from elsewhere."""

import base64
from functools import cache
from pathlib import Path
from typing import Any

import cv2
from jinja2 import Environment, PackageLoader, StrictUndefined

from beauty_evaluate.faces.align import Crop

FULL_SCALE = 0.5  # rating points at which a bar or a colour is at its end


def render(template: str, **values: Any) -> str:
    """Fill a template of `reporting/templates`; what is put into it is escaped.

    Args:
        template: its file name.
        values: what it shows.

    Example:
        >>> "&lt;b&gt;" in render("about.html", sentences=["<b>"])
        True
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    loader = PackageLoader("beauty_evaluate.reporting")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)


def file_uri(picture: Path) -> str:
    """A PNG or JPEG file as a `data:` address."""
    kind = "jpeg" if picture.suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"


def crop_uri(crop: Crop) -> str:
    """A crop, uint8 (size, size, 1 or 3), as a `data:` address.

    Example:
        >>> import numpy as np
        >>> crop_uri(np.zeros((2, 2, 3), np.uint8))[:22]
        'data:image/png;base64,'
    """
    encoded, data = cv2.imencode(".png", crop[:, :, ::-1] if crop.shape[2] == 3 else crop)
    assert encoded
    return f"data:image/png;base64,{base64.b64encode(data.tobytes()).decode()}"
