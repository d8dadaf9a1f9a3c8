"""Faces that lie on their side, lean, are small in a large photo, or many."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG

from beauty_evaluate import images
from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces import align, detector, search, second_look
from beauty_evaluate.faces.detect import Face, find_faces, main_face

CONFIG = CropConfig(size=160)


@pytest.fixture(scope="module")
def portrait() -> images.Picture:
    return images.read(PORTRAIT_PNG)


@pytest.fixture(scope="module")
def upright(portrait: images.Picture) -> Face:
    return find_faces(portrait, CONFIG)[0]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shape of each view that the detector is shown."""
    shapes: list[tuple[int, ...]] = []
    detect = detector.detect

    def watched(view: detector.View, threshold: float) -> list[detector.Detection]:
        shapes.append(view.pixels.shape[:2])
        return detect(view, threshold)

    monkeypatch.setattr(search, "detect", watched)
    monkeypatch.setattr(second_look, "detect", watched)
    return shapes


def paste(photo: images.Picture, portrait: images.Picture, x: int, y: int, height: int) -> None:
    scale = height / len(portrait)
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    photo[y : y + small.shape[0], x : x + small.shape[1]] = small


def blank(height: int, width: int) -> images.Picture:
    return np.full((height, width, 3), (120, 160, 200), np.uint8)


@pytest.mark.parametrize("path", [PORTRAIT, PORTRAIT_PNG])
def test_an_ordinary_photo_is_looked_at_once(path: str, looks: list[tuple[int, ...]]) -> None:
    find_faces(images.read(path), CONFIG)
    assert len(looks) == 1


@pytest.mark.parametrize("path", [PORTRAIT, PORTRAIT_PNG])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_photo_on_its_side_gives_the_crop_of_the_upright_one(path: str, quarters: int) -> None:
    photo = images.read(path)
    (face,) = find_faces(np.ascontiguousarray(np.rot90(photo, -quarters)), CONFIG)  # turned clockwise
    crop = find_faces(photo, CONFIG)[0].crop(CONFIG)
    assert np.abs(face.crop(CONFIG).astype(int) - crop).mean() < 5
    assert abs((face.roll - 90 * quarters + 180) % 360 - 180) < 15
    x, y, w, h = face.box
    assert (w > h) == (quarters != 2)  # the box lies on its side too, in pixels of the photo
    assert x < face.points[2, 0] < x + w
    assert y < face.points[2, 1] < y + h


@pytest.mark.parametrize("degrees", [-60, -45, 45, 60])
def test_a_face_that_leans_is_set_upright(portrait: images.Picture, upright: Face, degrees: int) -> None:
    photo = np.pad(portrait, ((150, 150), (150, 150), (0, 0)), mode="edge")
    turn = cv2.getRotationMatrix2D((406, 406), -degrees, 1)
    (face,) = find_faces(np.asarray(cv2.warpAffine(photo, turn, (812, 812)), np.uint8), CONFIG)
    expected = align.transform(upright.points + 150, np.asarray(turn))
    eyes = np.linalg.norm(expected[1] - expected[0])
    assert np.linalg.norm(face.points - expected, axis=1).mean() < 0.2 * eyes


def test_one_who_lies_among_others_is_found_once(portrait: images.Picture) -> None:
    lying = np.rot90(portrait, 1)
    faces = find_faces(np.concatenate([images.read(PORTRAIT)[:512], lying, portrait], axis=1), CONFIG)
    assert [round(face.roll / 90) for face in faces] == [0, -1, 0]


def test_a_group_on_its_side_keeps_all_its_faces(portrait: images.Picture) -> None:
    group = np.concatenate([images.read(PORTRAIT)[:512], portrait, portrait[:, ::-1]], axis=1)
    faces = find_faces(np.ascontiguousarray(np.rot90(group)), CONFIG)
    assert [round(face.roll / 90) for face in faces] == [-1, -1, -1]


def test_another_turn_must_win_clearly(monkeypatch: pytest.MonkeyPatch, portrait: images.Picture) -> None:
    (face,) = search.search(portrait, CONFIG)
    doubtful = detector.Detection(face.box, face.points, 0.8, face.seen_side, 0.0)

    def closer(_: object, seen: detector.Detection, roll: float, *__: object) -> detector.Detection:
        confidence = 0.85 + (0.018 if roll else 0)
        return detector.Detection(seen.box, seen.points, confidence, 64, roll)

    monkeypatch.setattr(second_look, "_closer", closer)
    assert second_look._surest_turn(portrait, doubtful, CONFIG) is doubtful
    monkeypatch.setattr(second_look, "WINS_BY", 0.01)
    assert second_look._surest_turn(portrait, doubtful, CONFIG).seen_roll


def test_a_doubtful_face_that_is_sure_in_a_closer_view_is_looked_at_no_more(
    portrait: images.Picture, looks: list[tuple[int, ...]]
) -> None:
    (face,) = search.search(portrait, CONFIG)
    doubtful = detector.Detection(face.box, face.points, second_look.SURE - 0.01, face.seen_side, 0.0)
    looks.clear()
    assert second_look._surest_turn(portrait, doubtful, CONFIG) is doubtful
    assert looks == [(96, 96)]
    on_its_head = np.ascontiguousarray(portrait[::-1, ::-1])
    (other,) = find_faces(on_its_head, CONFIG)
    assert abs(other.roll) > 165


@pytest.mark.parametrize("shape", [(40000, 600), (1500, 20000)])
def test_a_small_face_in_a_very_long_picture_is_found(
    shape: tuple[int, int], portrait: images.Picture, upright: Face, looks: list[tuple[int, ...]]
) -> None:
    photo = blank(*shape)
    x, y = (100, 23456) if shape[0] > shape[1] else (12345, 700)
    paste(photo, portrait, x, y, 480)
    (face,) = find_faces(photo, CONFIG)
    eyes = np.linalg.norm(upright.points[1] - upright.points[0])
    expected = (upright.points + 0.5) * 480 / 512 - 0.5 + [x, y]
    assert np.linalg.norm(face.points - expected, axis=1).mean() < 0.15 * eyes
    assert face.crop(CONFIG).std() > 30  # the warp of OpenCV counts pixels in 16 bits
    assert min(min(shape) for shape in looks) >= detector.MIN_SIDE / search.LEVEL_STEP
    assert max(max(shape) for shape in looks) <= CONFIG.detector_side


def test_faces_on_the_edges_of_tiles_are_found_whole_and_once(portrait: images.Picture) -> None:
    photo = blank(900, 12000)
    places = range(50, 11500, 617)  # at every distance from the edges of tiles
    for i, x in enumerate(places):
        paste(photo, portrait, x, 40 * (i % 8), 420)
    faces = find_faces(photo, CONFIG)
    middles = [face.points[2, 0] - x for face, x in zip(faces, places, strict=True)]
    assert np.ptp(middles) < 20


def test_all_of_a_crowd_is_found() -> None:
    head = images.read(PORTRAIT)[60:400, 130:410]
    photo = blank(2400, 3200)
    for i in range(240):
        paste(photo, head, i % 20 * 160 + 10, i // 20 * 200 + 10, 110)
    assert len(find_faces(photo)) == 240


def test_someone_far_away_is_found(portrait: images.Picture) -> None:
    photo = blank(3000, 4000)
    paste(photo, portrait, 2700, 1200, 400)
    (face,) = find_faces(photo)
    assert 60 < min(face.box[2:]) < 90


def test_small_faces_have_their_points_set_on_the_full_picture(portrait: images.Picture, upright: Face) -> None:
    photo = blank(3000, 4000)
    for x in (200, 3300):
        paste(photo, portrait, x, 1000, 1024 if x == 200 else 500)
    _, small = find_faces(photo, CONFIG)
    expected = (upright.points + 0.5) * 500 / 512 - 0.5 + [3300, 1000]
    eyes = np.linalg.norm(expected[1] - expected[0])
    assert np.linalg.norm(small.points - expected, axis=1).mean() < 0.12 * eyes


@pytest.mark.parametrize("shape", [(7000, 7100), (600, 40000), (32, 1_500_000), (9000, 5000), (4000, 601)])
def test_tiles_are_bounded_and_cover_the_photo(shape: tuple[int, int]) -> None:
    photo = np.broadcast_to(np.uint8(0), (*shape, 3))
    scales = search._scales(photo, CONFIG, search.TILE_SCALE)
    assert search._tiled_pixels(photo, scales[0], CONFIG.detector_side) <= search.MAX_PIXELS
    tiles = list(search._tiles(photo, scales[0], CONFIG.detector_side))
    for axis in (0, 1):
        spans = sorted({(tile[axis], tile[axis + 2]) for tile in tiles})
        assert spans[0][0] == 0
        assert spans[-1][1] == shape[1 - axis]
        assert all(b[0] <= a[1] - 0.9 * search.OVERLAP / scales[0] for a, b in pairwise(spans))


def test_main_face_is_the_largest_however_it_lies(portrait: images.Picture) -> None:
    photo = blank(1100, 1400)
    photo[:1024, :1024] = np.rot90(np.asarray(cv2.resize(portrait, (1024, 1024)), np.uint8))
    paste(photo, portrait, 1030, 300, 360)
    face = main_face(find_faces(photo, CONFIG))
    assert round(face.roll / 90) == -1
    assert face.points[:, 0].max() < 1024
