"""Scores beside the photos: XMP files that photo managers and exiftool read, so that no photo is changed."""

import os
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as xml

from beauty_evaluate import __version__
from beauty_evaluate.config import RatingScale
from beauty_evaluate.files import write_atomic
from beauty_evaluate.scoring.rows import Row

NAMESPACE = "urn:beauty_evaluate:xmp:1.0/"
X, RDF = "adobe:ns:meta/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
PREFIXES = {"x": X, "rdf": RDF, "xmp": XMP, "beauty": NAMESPACE}
PROGRAM = "beauty_evaluate"
MOST_STARS = 5
# ISO 16684-1, 7.3.2; the mark of the byte order is part of it.
PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n', '\n<?xpacket end="w"?>\n'


def path_of(photo: str) -> Path:
    """Where the sidecar of a photo lies: `me.jpg.xmp`, as darktable and digiKam name it, so that `me.jpg` and `me.png`
    have one each.

    Example:
        >>> path_of("holiday/me.jpg").name
        'me.jpg.xmp'
    """
    return Path(f"{photo}.xmp")


def write(photo: str, rows: Sequence[Row], scale: RatingScale) -> bool:
    """Write the scores of a photo's faces into its sidecar. One that this program wrote is replaced; one of another
    program holds a person's work and is left alone.

    Args:
        photo: path of the photo.
        rows: of its faces.
        scale: of the scores.

    Returns:
        Whether it was written.

    Raises:
        OSError: it cannot be.
    """
    path = path_of(photo)
    if os.path.lexists(path) and not _is_ours(path):
        return False
    write_atomic(path, content(rows, scale))
    return True


def _is_ours(path: Path) -> bool:
    """Whether this program wrote a sidecar, and no other has changed it since: each puts its own name there."""
    try:
        return xml.fromstring(path.read_bytes()).get(f"{{{X}}}xmptk", "").startswith(f"{PROGRAM} ")
    except (OSError, xml.ParseError):
        return False


def content(rows: Sequence[Row], scale: RatingScale) -> bytes:
    """The sidecar: what the best face has (doubtful ones last), and a list of all faces.

    `xmp:Rating`, the stars of photo managers, is the place of the score on its scale, 1 to 5; a doubtful score has
    none. All else stands in a namespace of its own.

    Args:
        rows: of the faces of one photo, left to right.
        scale: of the scores.

    Example:
        >>> b"<xmp:Rating>3</xmp:Rating>" in content([Row("a.jpg", 1, 1, "ok", score=3.2)], RatingScale(1, 5))
        True
    """
    for prefix, uri in PREFIXES.items():
        xml.register_namespace(prefix, uri)
    meta = xml.Element(f"{{{X}}}xmpmeta", {f"{{{X}}}xmptk": f"{PROGRAM} {__version__}"})
    tree = xml.SubElement(meta, f"{{{RDF}}}RDF")
    description = xml.SubElement(tree, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})
    best = min(rows, key=lambda row: row.place)
    if not best.is_doubtful and best.score is not None:
        share = (scale.clip(best.score) - scale.low) / (scale.high - scale.low)
        _add(description, XMP, "Rating", 1 + int(share * (MOST_STARS - 1) + 0.5))
    _add_face(description, best)
    _add(description, NAMESPACE, "Scale", scale)
    _add(description, NAMESPACE, "Weights", best.weights)
    faces = xml.SubElement(xml.SubElement(description, f"{{{NAMESPACE}}}Faces"), f"{{{RDF}}}Seq")
    for row in rows:
        face = xml.SubElement(faces, f"{{{RDF}}}li", {f"{{{RDF}}}parseType": "Resource"})
        _add_face(face, row)
        for name in "xywh":
            _add(face, NAMESPACE, name.upper(), getattr(row, name))
    xml.indent(meta, " ")
    begin, end = PACKET
    return (begin + xml.tostring(meta, encoding="unicode") + end).encode()


def _add_face(parent: xml.Element, row: Row) -> None:
    for name in ("Score", "Low", "High", "Percentile"):
        _add(parent, NAMESPACE, name, getattr(row, name.lower()))
    if row.warnings:
        bag = xml.SubElement(xml.SubElement(parent, f"{{{NAMESPACE}}}Warnings"), f"{{{RDF}}}Bag")
        for word in row.warnings.split(";"):
            _add(bag, RDF, "li", word)


def _add(parent: xml.Element, namespace: str, name: str, value: object) -> None:
    """A property; none for a value that is not known."""
    if value is not None:
        xml.SubElement(parent, f"{{{namespace}}}{name}").text = str(value)
