import cv2
import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG
from PIL import Image

from beauty_evaluate import images
from beauty_evaluate.config import CropConfig
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces import align
from beauty_evaluate.faces.detect import find_faces, main_face

CONFIG = CropConfig(size=160)


def difference(a: images.Picture, b: images.Picture) -> float:
    return float(np.abs(a.astype(int) - b).mean())


@pytest.mark.parametrize("path", [PORTRAIT, PORTRAIT_PNG])
def test_portraits_have_one_face_with_an_aligned_crop(path: str) -> None:
    photo = images.read(path)
    (face,) = find_faces(photo, CONFIG)
    assert face.crop(CONFIG).shape == (160, 160, 3)
    assert face.confidence > 0.8
    again = main_face(find_faces(np.ascontiguousarray(np.pad(face.crop(CONFIG), ((40, 40), (40, 40), (0, 0)))), CONFIG))
    assert np.abs((again.points - 40) / 160 - align.TEMPLATE).max() < 0.06


def variants(photo: images.Picture) -> list[tuple[images.Picture, np.ndarray]]:
    """The photo smaller, larger, moved and turned, each with the transform of its points."""
    turn = cv2.getRotationMatrix2D((256, 200), 12, 1)
    scaled = [
        (np.asarray(cv2.resize(photo, None, fx=f, fy=f, interpolation=kind), np.uint8), np.diag([f, f, 1])[:2])
        for f, kind in ((0.6, cv2.INTER_AREA), (5, cv2.INTER_LINEAR))
    ]
    moved = np.pad(photo, ((0, 0), (150, 30), (0, 0)), mode="edge"), np.array([[1.0, 0, 150], [0, 1, 0]])
    turned = np.asarray(cv2.warpAffine(photo, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE), np.uint8), turn
    return [*scaled, moved, turned]


def test_crop_does_not_hang_on_size_place_or_turn_of_the_photo() -> None:
    photo = images.read(PORTRAIT_PNG)
    points = find_faces(photo, CONFIG)[0].points
    crop = align.aligned_crop(photo, points, CONFIG)
    for other, matrix in variants(photo):
        found = align.aligned_crop(other, align.transform(points, matrix), CONFIG)
        assert difference(found[8:-8, 8:-8], crop[8:-8, 8:-8]) < 5


def test_points_follow_the_face() -> None:
    photo = images.read(PORTRAIT_PNG)
    points = find_faces(photo, CONFIG)[0].points
    for other, matrix in variants(photo)[:3]:  # the detector turns its points less far than the face
        expected = align.transform(points, matrix)
        eyes = np.linalg.norm(expected[1] - expected[0])
        found = find_faces(other, CONFIG)[0].points
        assert np.linalg.norm(found - expected, axis=1).mean() < 0.15 * eyes


def test_faces_stand_left_to_right() -> None:
    both = np.concatenate([images.read(PORTRAIT)[:512], images.read(PORTRAIT_PNG)], axis=1)
    faces = find_faces(both, CONFIG)
    assert [face.box[0] < 512 for face in faces] == [True, False]
    assert main_face(faces) is faces[0]


def test_a_crowd_is_found_whole() -> None:
    face = Image.fromarray(images.read(PORTRAIT)[60:400, 130:410]).resize((100, 120))
    photo = Image.new("RGB", (700, 840), "white")
    for i in range(49):
        photo.paste(face, (i % 7 * 100, i // 7 * 120))
    assert len(find_faces(np.asarray(photo), CropConfig())) > 44


def test_no_face_is_said() -> None:
    with pytest.raises(PhotoError, match="No face") as caught:
        find_faces(np.full((300, 300, 3), 128, np.uint8), CONFIG)
    assert caught.value.status == "no_face"


def test_similarity_recovers_a_known_transform() -> None:
    turn, scale, shift = 0.3, 1.7, np.array([5.0, -3.0])
    matrix = np.column_stack([scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]), shift])
    points = np.random.default_rng(0).normal(0, 40, (5, 2))
    assert np.allclose(align.fit_similarity_transform(points, align.transform(points, matrix)), matrix)


def test_padding_and_margin_show_more_of_the_same_picture() -> None:
    photo = images.read(PORTRAIT_PNG)
    points = find_faces(photo, CONFIG)[0].points
    padded = align.aligned_crop(photo, points, CONFIG, pad=20)
    assert difference(padded[20:-20, 20:-20], align.aligned_crop(photo, points, CONFIG)) < 3
    wide = align.aligned_crop(photo, points, CropConfig(size=200, margin=0.125))
    assert difference(wide[20:-20, 20:-20], padded[20:-20, 20:-20]) < 3


def test_whole_picture_is_squeezed_and_grey() -> None:
    config = CropConfig("whole", 160, grey=True)
    (face,) = find_faces(images.read(PORTRAIT), config)
    assert face.crop(config).shape == (160, 160, 1)
    assert face.box == (0, 0, 512, 600)
