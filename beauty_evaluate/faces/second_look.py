"""A second look at faces that are turned, tilted, small or doubtful: none of it on an ordinary photo."""

import math

import numpy as np

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.align import warp
from beauty_evaluate.faces.detector import Detection, View, detect
from beauty_evaluate.faces.search import TILE_SCALE, look_scale, merged, needs_tiles, same_face, search, search_tiles
from beauty_evaluate.images import Picture

# Chosen on photos of the training lists, by benchmarks/faces.py: benchmarks/faces.md.
SURE = 0.92  # confidence: hardly an upright face lies below, and no turned one above
# In a closer view, like is compared with like: of faces that were doubtful in the whole photo, most upright ones reach
# this in it, and of 78 turned ones none (at most 0.89).
SURE_CLOSER = 0.9
WINS_BY = 0.02  # confidence by which another turn must be surer
LEANS_BY = 0.01  # confidence by which a turned face must be surer after a further, small turn
TILTED = 18.0  # degrees: the detector turns its points less far than the face
UPRIGHT, MAX_ROUNDS = 4.0, 3  # degrees at which a tilted face is upright enough, and looks that get it there
SMALL = 48  # pixels that a face has in the view: below, its points are set again in a closer one
CONFIRMED = 0.8  # confidence of a face that the ordinary look did not find

REACH = 1.5  # longer sides of a box that a closer view shows: the detector is as sure, and as exact, as with 2.5
CLOSER_SIDE, MAX_CLOSER_SIDE = 64, 256  # pixels of that side in the view: one of 96 takes a twentieth of a whole look
TURNS = (((-40, 40), SURE), ((90, -90, 180), SURE), ((-135, 135), 0.9))  # degrees, and the confidence that is enough


def find(photo: Picture, config: CropConfig) -> list[Detection]:
    """Every face of a photo once, its points set as on the upright face."""
    faces = [_larger(photo, face, config) for face in search(photo, config)]
    if not faces:
        return _find_elsewhere(photo, config)
    main = max(faces, key=lambda face: face.box[2] * face.box[3])
    turned = _surest_turn(photo, main, config)
    if turned.confidence < CONFIRMED:  # it may be none, and the face stand on its head elsewhere
        others = [face for quarters in (1, 2, 3) for face in search(photo, config, quarters)]
        surest = max(others, key=lambda face: face.confidence, default=turned)
        turned = surest if surest.confidence >= SURE_CLOSER else turned
    if quarters := round(turned.seen_roll / 90) % 4:  # the photo lies on its side, it seems, and so do its other faces
        whole = [_straightened(photo, face, config) for face in search(photo, config, quarters)]
        faces = merged([turned, *(face for face in faces if face.confidence >= CONFIRMED)], whole)
    else:
        turned = turned if turned is main else _straightened(photo, turned, config)
        faces = [turned if face is main else face for face in faces]
    for i, face in enumerate(faces):
        if face is not turned and 3 * face.side >= main.side:
            other = _surest_turn(photo, face, config)
            faces[i] = face if other is face else _straightened(photo, other, config)
    return merged(_upright(photo, face, config) for face in faces)


def _find_elsewhere(photo: Picture, config: CropConfig) -> list[Detection]:
    """The faces of a photo in which the ordinary look finds none: turned, or far away."""
    faces = merged(face for quarters in (1, 2, 3) for face in search(photo, config, quarters))
    scale = look_scale(photo, config)
    finest = min(TILE_SCALE, 2 * scale)
    if not faces and finest > scale and not needs_tiles(photo, config):
        faces = search_tiles(photo, config, finest=finest)
    settled = (_upright(photo, _larger(photo, face, config), config) for face in faces)
    return merged(face for face in settled if face.confidence >= CONFIRMED)


def _larger(photo: Picture, face: Detection, config: CropConfig) -> Detection:
    """The face, seen again on the full photo if it was seen small on a shrunken one."""
    if face.seen_side < SMALL and face.side > face.seen_side:
        return _closer(photo, face, face.seen_roll, CLOSER_SIDE, config) or face
    return face


def _surest_turn(photo: Picture, face: Detection, config: CropConfig) -> Detection:
    """The face, or how it looks turned otherwise, where the detector is clearly surer of it."""
    if face.confidence >= SURE:
        return face
    plain: Detection | None = face
    if face.seen_side > CLOSER_SIDE:  # faces that are seen smaller are seen less surely
        plain = _closer(photo, face, face.seen_roll, CLOSER_SIDE, config)
        if plain and plain.confidence >= SURE_CLOSER:
            return face
    surest, least = face, max(face.confidence, plain.confidence + WINS_BY if plain else 0)
    for turns, enough in TURNS:
        if surest.confidence >= enough:
            break
        for turn in turns:
            seen = _closer(photo, face, face.seen_roll + turn, CLOSER_SIDE, config)
            if seen and seen.confidence > least:
                surest, least = seen, seen.confidence
    return surest


def _straightened(photo: Picture, face: Detection, config: CropConfig) -> Detection:
    """A turned face, seen at the nearby turn of which the detector is surest: it hardly notices that a face leans."""
    plain, *turned = (_closer(photo, face, face.seen_roll + turn, CLOSER_SIDE, config) for turn in (0, -20, 20))
    surest = max((turn for turn in turned if turn), key=lambda turn: turn.confidence, default=face)
    return surest if plain and surest.confidence > plain.confidence + LEANS_BY else face


def _upright(photo: Picture, face: Detection, config: CropConfig) -> Detection:
    """The face, its points set again on a view in which it stands upright, if it was tilted in its own."""
    derotated = round(face.seen_roll) % 90 != 0
    side = max(face.box[2:]) * look_scale(photo, config)  # as large as in a photo that is not tilted
    for _ in range(MAX_ROUNDS):
        if abs(face.tilt) <= (UPRIGHT if derotated else TILTED):
            break
        again = _closer(photo, face, face.roll, side, config)
        if again is None or again.confidence < face.confidence - WINS_BY:
            break
        face, derotated = again, True
    return face


def _closer(photo: Picture, face: Detection, roll: float, side: float, config: CropConfig) -> Detection | None:
    """The face in a view of its own, turned back by `roll` degrees, in which its longer side has so many pixels."""
    longer = max(face.box[2:])
    scale = min(max(side, CLOSER_SIDE), MAX_CLOSER_SIDE) / longer
    pixels = round(REACH * longer * scale)
    cos, sin = scale * math.cos(math.radians(roll)), scale * math.sin(math.radians(roll))
    matrix = np.array([[cos, sin, 0], [-sin, cos, 0]])
    matrix[:, 2] = (pixels - 1) / 2 - matrix[:, :2] @ (face.centre - 0.5)
    to_photo = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    view = View(warp(photo, matrix, (pixels, pixels)), to_photo)
    return next((seen for seen in detect(view, config.detector_threshold) if same_face(seen, [face]).any()), None)
