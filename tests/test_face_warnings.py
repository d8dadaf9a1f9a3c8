"""Warnings for faces that are cut, stretched or covered, and measurements that are made once."""

from pathlib import Path

import cv2
import hand_set
import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG

from beauty_evaluate import images
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import registry
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.faces import quality as qualities
from beauty_evaluate.faces.covered import covered
from beauty_evaluate.faces.detect import Face, find_faces
from beauty_evaluate.faces.quality import Quality, measurements, quality
from beauty_evaluate.images import Picture
from beauty_evaluate.web.i18n import Texts

CONFIG = CropConfig()


def face_of(photo: Picture) -> Face:
    (face,) = find_faces(photo)
    return face


def with_sunglasses(photo: Picture) -> Picture:
    photo, face = photo.copy(), face_of(photo)
    apart = float(np.linalg.norm(face.points[1] - face.points[0]))
    for x, y in face.points[:2]:
        cv2.ellipse(photo, (int(x), int(y)), (int(0.42 * apart), int(0.3 * apart)), 0, 0, 360, (15, 15, 15), -1)
    return photo


def with_mask(photo: Picture) -> Picture:
    photo, face = photo.copy(), face_of(photo)
    apart = float(np.linalg.norm(face.points[1] - face.points[0]))
    x, y = face.points[3:].mean(0)
    corners = np.array([(-0.8, -0.5), (0.8, -0.5), (0.7, 0.4), (0, 0.8), (-0.7, 0.4)]) * apart + (x, y)
    cv2.fillPoly(photo, [corners.astype(np.int32)], (120, 170, 210))
    return photo


@pytest.mark.parametrize("portrait", [PORTRAIT, PORTRAIT_PNG])
def test_covered_eyes_and_mouths_are_told(portrait: Path) -> None:
    photo = images.read(portrait)
    shares = [
        covered(face_of(photo).crop(CONFIG), CONFIG),
        # where the points lie under glasses and masks is for the detector to guess: the crop stays as it was
        covered(_redrawn(photo, with_sunglasses(photo)), CONFIG),
        covered(_redrawn(photo, with_mask(photo)), CONFIG),
    ]
    assert max(shares[0].values()) < 0.5
    assert shares[1]["eyes"] > 0.9
    assert shares[2]["mouth"] > 0.9


def _redrawn(photo: Picture, drawn: Picture) -> Picture:
    face = face_of(photo)
    return np.asarray(Face(face.box, face.points, face.confidence, drawn).crop(CONFIG))


def test_other_sizes_and_grey_crops_are_judged_alike() -> None:
    photo = with_sunglasses(images.read(PORTRAIT))
    face = Face(face_of(images.read(PORTRAIT)).box, face_of(images.read(PORTRAIT)).points, 0.9, photo)
    for config in (CropConfig(size=128), CropConfig(margin=0.1), CropConfig(grey=True)):
        assert covered(face.crop(config), config)["eyes"] > 0.8


def test_stretching_is_measured_whichever_way_the_head_is_turned() -> None:
    photo = images.read(PORTRAIT)
    face = face_of(photo)
    first = quality(face, CONFIG)
    x, y, w, h = face.box
    pixels = np.asarray(cv2.resize(photo, None, fx=1.5, fy=1), np.uint8)
    wide = Face((1.5 * x, y, 1.5 * w, h), face.points * (1.5, 1), 0.9, pixels)
    assert quality(wide, CONFIG).stretch == pytest.approx(1.5 * first.stretch, rel=0.08)
    assert quality(wide, CONFIG).shape == pytest.approx(1.5 * first.shape)
    turned_points = face.points[:, ::-1] * (-1, 1) + (photo.shape[0], 0)
    turned = Face((photo.shape[0] - y - h, x, h, w), turned_points, 0.9, np.rot90(photo, -1))
    assert quality(turned, CONFIG).width == pytest.approx(first.width)
    assert "stretched" in quality(wide, CONFIG).warnings()
    assert first.warnings() == []


def test_a_box_tells_of_stretching_what_the_points_hide_unless_the_face_leans() -> None:
    assert "stretched" in Quality(99, 0.2, 140, 30, 0, 0.95, stretch=1.15, shape=1.25, brightest=200).warnings()
    assert "stretched" in Quality(99, 0.2, 140, 30, 0, 0.95, stretch=0.85, shape=0.75, brightest=200).warnings()
    assert Quality(99, 0.2, 140, 30, 0, 0.95, stretch=1.15, shape=1.1, brightest=200).warnings() == []
    cut = Quality(99, 0.2, 140, 30, 0, 0.95, outside=0.4, stretch=1.3, shape=1.3, brightest=200)
    assert cut.warnings() == ["cut"]  # what is left of a face has any shape
    face = face_of(images.read(PORTRAIT))
    cos = np.sqrt(0.5)
    leaning = face.points @ np.array([[cos, cos], [-cos, cos]])
    assert quality(Face((0, 0, 300, 100), leaning, 0.9, images.read(PORTRAIT)), CONFIG).shape == 1


def test_skin_without_texture_is_drawn_and_overexposed_skin_is_not() -> None:
    photo = images.read(PORTRAIT)
    face = face_of(photo)
    bright = Face(face.box, face.points, 0.9, np.clip(photo * 1.8, 0, 255).astype(np.uint8))
    assert quality(face, CONFIG).texture > 0.2
    assert "drawn" not in quality(bright, CONFIG).warnings()
    flat = np.full_like(photo, (224, 180, 150))
    for x, y in face.points:
        cv2.circle(flat, (int(x), int(y)), 12, (60, 40, 30), -1)
    noise = np.random.default_rng(0).normal(0, 3, flat.shape)
    for drawn in (flat, np.clip(flat + noise, 0, 255).astype(np.uint8)):
        assert "drawn" in quality(Face(face.box, face.points, 0.9, drawn), CONFIG).warnings()
    assert "drawn" not in Quality(99, 0.2, 140, 30, 0, 0.95, covered=0.9, texture=0).warnings()  # that is a mask


def test_what_lies_outside_the_photo_is_measured_even_once_the_photo_has_gone() -> None:
    photo = images.read(PORTRAIT)
    face = face_of(photo)
    x, y, w, h = face.box
    assert quality(face, CONFIG).outside == 0
    left = int(x + 0.3 * w)
    cut = Face((x - left, y, w, h), face.points - (left, 0), 0.9, photo[:, left:])
    assert "cut" in quality(cut, CONFIG).warnings()
    gone = cut.without_photo(CONFIG)
    assert (gone.photo_size, quality(gone, CONFIG).outside) == (cut.photo_size, quality(cut, CONFIG).outside)


def test_a_face_is_measured_once_and_an_edited_one_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    face = face_of(images.read(PORTRAIT))
    first = measurements([face], CONFIG)
    assert set(first) == set(Quality.__dataclass_fields__)

    def refuse(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(qualities, "_measure", refuse)
    black = face.with_pixels(np.zeros_like(face.crop(CONFIG)), CONFIG)
    twice = black.with_pixels(np.zeros_like(face.crop(CONFIG)), CONFIG)
    assert measurements([face, black, twice], CONFIG)["light"].tolist() == [first["light"][0]] * 3


def test_every_warning_has_words_on_the_page() -> None:
    bad = Quality(1, 0, 0, 0, 9, 0, 1, 9, 1).warnings() + Quality(99, 1, 255, 50, 0, 1, 0, 0.1).warnings()
    for language in ("en", "zh"):
        texts = Texts(language)
        assert all(len(texts[word]) > 3 for word in [*bad, "unusual"])
    assert {"cut", "stretched", "covered", "bright", "dark"} <= set(bad)


def test_dark_skin_in_good_light_is_no_dark_photo() -> None:
    """Of the 13 black faces of London, a rule on the mean brightness alone marked four."""
    london = registry.read()
    names = [name for name, sample in london.samples.items() if sample.groups["origin"] == "black"]
    crops = load_crops([london.samples[name] for name in names], CropConfig()).pixels

    def dark(light: float) -> int:
        faces = [hand_set.face_of((crop * light).astype(np.uint8)) for crop in crops]
        return sum("dark" in quality(face, CropConfig()).warnings() for face in faces)

    assert len(names) == 13
    assert dark(1.0) == 0
    assert dark(0.4) == 13
