"""What of a card scoring reads: its files, their size, and a hash of all that changes a score."""

import hashlib
import json

from beauty_evaluate.raters.card import Artifact, Card
from beauty_evaluate.settings import to_json


def scored_with(card: Card) -> dict[str, Artifact]:
    """The artifacts that scoring reads: all but a network's Keras weights beside its exported file.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> sorted(scored_with(registry.load_card("six_block_60-40")))
        ['onnx', 'stats']
    """
    spare = {"keras"} if "onnx" in card.artifacts else set()
    return {kind: artifact for kind, artifact in card.artifacts.items() if kind not in spare}


def megabytes(card: Card) -> float:
    """The size on disk of the files that scoring reads."""
    return sum((card.folder / artifact.file).stat().st_size for artifact in scored_with(card).values()) / 1e6


def fingerprint(card: Card) -> str:
    """SHA-256, as 64 hexadecimal digits, of all that changes a score or says what was learnt from: config, scale,
    photos, interval and the files that scoring reads. Figures that are written into the card change nothing."""
    parts = [to_json(part) for part in (card.config, card.scale, *card.trained_on)]
    files = {kind: artifact.sha256 for kind, artifact in sorted(scored_with(card).items())}
    return hashlib.sha256(json.dumps([parts, files, card.interval]).encode()).hexdigest()
