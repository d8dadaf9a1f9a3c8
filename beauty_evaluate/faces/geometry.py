"""Named, scale-free features of a face: what the mesh's points say of eyes, nose, lips, cheeks, jaw and the whole.

Points are taken in the frame of the aligned crop, whose side is proportional to the face, so that no feature depends on
the size of a photo, and none of a region on the points of another. Where a feature has a source, the row says so:

- proportions of the face as painters and surgeons measure them (thirds, fifths): Farkas et al. 1985, "Vertical and
  horizontal proportions of the face in young adult North American Caucasians", Plast. Reconstr. Surg. 75(3);
- eye aspect ratio: Soukupova & Cech 2016, "Real-time eye blink detection using facial landmarks", CVWW;
- eyes to mouth over the face's height, pupils over its width: Pallett, Link & Lee 2010, Vision Research 50(2);
- facial width-to-height ratio: Carre & McCormick 2008, Proc. R. Soc. B 275;
- ratios of distances as predictors of a rating: Liang et al. 2018, SCUT-FBP5500 (arXiv 1801.06345): PC .6738 with 18
  ratios of hand-set points and Gaussian regression, 10-fold cross-validation.
"""

from collections.abc import Sequence

import numpy as np

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.align import Points
from beauty_evaluate.faces.measures import (
    Feature,
    Floats,
    angle,
    area,
    asymmetry,
    difference,
    height,
    length,
    ratio,
    tilt,
)
from beauty_evaluate.faces.regions import BROWS, EYES, LIPS, OVAL

WHOLE = "face"  # the region of features that read points of several regions: proportions
REGIONS = ("eyes", "nose", "lips", "cheeks", "jaw")

# Left and right as in the picture. Eyes: outer corner, inner corner.
_EYE_L, _EYE_R = (33, 133), (263, 362)
_LIDS = ((160, 144), (158, 153)), ((387, 373), (385, 380))
_EYE_PAIRS = tuple(zip(*EYES, strict=True))
_BROW_PAIRS = tuple(zip(*BROWS, strict=True))
_LIP_PAIRS = ((61, 291), (40, 270), (39, 269), (37, 267), (84, 314), (181, 405), (91, 321), (78, 308))
_NOSE_PAIRS = ((129, 358), (98, 327), (48, 278), (45, 275), (198, 420), (122, 351), (64, 294), (209, 429))
_JAW_PAIRS = ((58, 288), (172, 397), (136, 365), (150, 379), (149, 378), (176, 400), (148, 377))
_CHEEK_PAIRS = ((234, 454), (93, 323), (132, 361), (127, 356), (116, 345), (123, 352), (147, 376), (187, 411))
_FACE = (10, 152)  # top of the forehead, chin
_WIDTH = (234, 454)
_STOMION, _SUBNASALE, _GLABELLA = 13, 2, 9

_EYES = (
    ratio("eye aspect ratio", "eyes", (*_LIDS[0], *_LIDS[1]), (_EYE_L, _EYE_R)),
    length("eye width", "eyes", _EYE_L, _EYE_R),
    length("eye height", "eyes", (159, 145), (386, 374)),
    length("distance between the eyes", "eyes", (133, 362)),
    length("distance of the outer corners", "eyes", (33, 263)),
    ratio("distance between the eyes to eye width", "eyes", ((133, 362),), (_EYE_L, _EYE_R)),
    area("eye roundness", "eyes", EYES, (_EYE_L, _EYE_R)),
    tilt("eye tilt", "eyes", (133, 33), (362, 263)),
    height("upper lid curve", "eyes", (159, 386), ((33, 133), (362, 263))),
    height("lower lid curve", "eyes", (145, 374), ((33, 133), (362, 263))),
    angle("inner corner of the eye", "eyes", (157, 133, 154), (384, 362, 381)),
    angle("outer corner of the eye", "eyes", (161, 33, 163), (388, 263, 390)),
    length("brow to eye", "eyes", (105, 159), (334, 386)),
    length("inner brow to inner corner", "eyes", (55, 133), (285, 362)),
    length("outer brow to outer corner", "eyes", (46, 33), (276, 263)),
    length("distance between the brows", "eyes", (55, 285)),
    length("brow length", "eyes", (55, 46), (285, 276)),
    length("brow thickness", "eyes", (105, 52), (334, 282)),
    height("brow arch", "eyes", (105, 334), ((70, 107), (336, 300))),
    tilt("brow tilt", "eyes", (55, 46), (285, 276)),
    asymmetry("eye asymmetry", "eyes", _EYE_PAIRS),
    asymmetry("brow asymmetry", "eyes", _BROW_PAIRS),
    difference(
        "difference in eye opening", "eyes",
        ratio("left", "eyes", _LIDS[0], (_EYE_L,)), ratio("right", "eyes", _LIDS[1], (_EYE_R,)),
    ),
)  # fmt: skip
_NOSE = (
    length("nose width", "nose", (129, 358)),
    length("nose length", "nose", (168, 2)),
    ratio("nose width to length", "nose", ((129, 358),), ((168, 2),)),
    length("nose base", "nose", (98, 327)),
    length("nose bridge", "nose", (122, 351)),
    length("nose back", "nose", (198, 420)),
    length("nose tip width", "nose", (45, 275)),
    ratio("nose bridge to width", "nose", ((122, 351),), ((129, 358),)),
    ratio("nose tip to width", "nose", ((45, 275),), ((129, 358),)),
    ratio("nose tip height", "nose", ((4, 2),), ((168, 2),)),
    height("nose tip above the wings", "nose", (4,), ((129, 358),)),
    height("nose base below the wings", "nose", (2,), ((129, 358),)),
    angle("nostrils", "nose", (98, 2, 327)),
    angle("nose taper", "nose", (129, 168, 358)),
    asymmetry("nose asymmetry", "nose", _NOSE_PAIRS, (168, 6, 197, 195, 5, 4, 2)),
)
_LIPS = (
    length("mouth width", "lips", (61, 291)),
    length("upper lip thickness", "lips", (0, 13)),
    length("lower lip thickness", "lips", (14, 17)),
    ratio("upper lip to lower lip", "lips", ((0, 13),), ((14, 17),)),
    ratio("lip thickness to mouth width", "lips", ((0, 13), (14, 17)), ((61, 291),)),
    ratio("mouth opening", "lips", ((13, 14),), ((61, 291),)),
    ratio("cupid's bow width", "lips", ((37, 267),), ((61, 291),)),
    height("cupid's bow depth", "lips", (0,), ((37, 267),)),
    height("mouth corners to the middle", "lips", (13,), ((61, 291),)),
    height("lower lip drop", "lips", (17,), ((61, 291),)),
    angle("corner of the mouth", "lips", (40, 61, 91), (270, 291, 321)),
    area("lip fullness", "lips", (LIPS,), ((61, 291),)),
    ratio("lower lip breadth", "lips", ((84, 314),), ((61, 291),)),
    asymmetry("lip asymmetry", "lips", _LIP_PAIRS, (0, 13, 14, 17)),
)
_CHEEKS = (
    length("face width", "cheeks", _WIDTH),
    length("temple width", "cheeks", (127, 356)),
    ratio("temples to face width", "cheeks", ((127, 356),), (_WIDTH,)),
    length("cheekbone width", "cheeks", (116, 345)),
    ratio("cheek prominence", "cheeks", ((116, 345),), ((147, 376),)),
    ratio("cheek taper", "cheeks", ((132, 361),), (_WIDTH,)),
    ratio("cheek hollow", "cheeks", ((187, 411),), ((123, 352),)),
    length("cheek height", "cheeks", (116, 147), (345, 376)),
    length("outer cheek", "cheeks", (123, 93), (352, 323)),
    angle("cheek line", "cheeks", (127, 93, 132), (356, 323, 361)),
    tilt("cheekbone tilt", "cheeks", (50, 116), (280, 345)),
    area("cheek area", "cheeks", ((116, 123, 147, 187, 50), (345, 352, 376, 411, 280)), (_WIDTH,)),
    asymmetry("cheek asymmetry", "cheeks", _CHEEK_PAIRS),
)
_JAW = (
    length("jaw width", "jaw", (58, 288)),
    length("lower jaw width", "jaw", (172, 397)),
    length("chin width", "jaw", (149, 378)),
    ratio("jaw taper", "jaw", ((172, 397),), ((58, 288),)),
    ratio("chin to jaw width", "jaw", ((149, 378),), ((58, 288),)),
    ratio("chin tip to chin width", "jaw", ((148, 377),), ((149, 378),)),
    height("jaw height", "jaw", (152,), ((58, 288),)),
    height("chin height", "jaw", (152,), ((149, 378),)),
    angle("jaw angle", "jaw", (58, 172, 136), (288, 397, 365)),
    angle("jaw curvature", "jaw", (58, 136, 149), (288, 365, 378)),
    angle("chin curvature", "jaw", (150, 149, 176), (379, 378, 400)),
    angle("chin", "jaw", (149, 152, 378)),
    angle("chin tip", "jaw", (176, 152, 400)),
    tilt("jaw slope", "jaw", (150, 58), (379, 288)),
    area("jaw fullness", "jaw", ((58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288),),
         ((58, 288),)),
    asymmetry("jaw asymmetry", "jaw", _JAW_PAIRS, (152,)),
)  # fmt: skip
_PROPORTIONS = (
    ratio("face height to width", WHOLE, (_FACE,), (_WIDTH,)),
    ratio("width-to-height ratio", WHOLE, (_WIDTH,), ((_GLABELLA, 0),)),
    ratio("upper third", WHOLE, ((10, _GLABELLA),), (_FACE,)),
    ratio("middle third", WHOLE, ((_GLABELLA, _SUBNASALE),), (_FACE,)),
    ratio("lower third", WHOLE, ((_SUBNASALE, 152),), (_FACE,)),
    ratio("upper lip in the lower third", WHOLE, ((_SUBNASALE, _STOMION),), ((_SUBNASALE, 152),)),
    ratio("philtrum", WHOLE, ((_SUBNASALE, 0),), ((_SUBNASALE, 152),)),
    ratio("chin in the lower third", WHOLE, ((17, 152),), ((_SUBNASALE, 152),)),
    ratio("inner fifth", WHOLE, ((133, 362),), (_WIDTH,)),
    ratio("eye fifths", WHOLE, (_EYE_L, _EYE_R), (_WIDTH,)),
    ratio("outer fifths", WHOLE, ((234, 33), (263, 454)), (_WIDTH,)),
    ratio("eyes to mouth", WHOLE, ((6, _STOMION),), (_FACE,)),
    ratio("pupils to face width", WHOLE, ((159, 386),), (_WIDTH,)),
    ratio("nose to face width", WHOLE, ((129, 358),), (_WIDTH,)),
    ratio("nose length to face height", WHOLE, ((168, 2),), (_FACE,)),
    ratio("nose width to distance between the eyes", WHOLE, ((129, 358),), ((133, 362),)),
    ratio("mouth to face width", WHOLE, ((61, 291),), (_WIDTH,)),
    ratio("mouth to nose width", WHOLE, ((61, 291),), ((129, 358),)),
    ratio("mouth to distance of the pupils", WHOLE, ((61, 291),), ((159, 386),)),
    ratio("jaw to face width", WHOLE, ((58, 288),), (_WIDTH,)),
    ratio("chin to face width", WHOLE, ((149, 378),), (_WIDTH,)),
    ratio("jaw to mouth width", WHOLE, ((172, 397),), ((61, 291),)),
    ratio("brows to face height", WHOLE, ((105, 159), (334, 386)), (_FACE,)),
    area("face fullness", WHOLE, (OVAL,), (_WIDTH,)),
    difference("turn of the head", WHOLE, length("left", WHOLE, (4, 234)), length("right", WHOLE, (4, 454))),
    asymmetry("face asymmetry", WHOLE, (*_EYE_PAIRS, *_LIP_PAIRS, *_NOSE_PAIRS, *_JAW_PAIRS, *_CHEEK_PAIRS)),
)

FEATURES: tuple[Feature, ...] = (*_EYES, *_NOSE, *_LIPS, *_CHEEKS, *_JAW, *_PROPORTIONS)


def measure(points: Points | Sequence[Points], config: CropConfig) -> Floats:
    """All FEATURES of faces.

    Args:
        points: (N, 468, 2) pixels of the aligned crop, as `landmarks.landmarks` gives them.
        config: of the crop.

    Returns:
        float64 (N, F), in the order of FEATURES.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.faces.landmarks import landmarks
        >>> (face,) = find_faces(images.read("examples/eileen_collins.png"))
        >>> values = measure([landmarks(face.crop(CropConfig()), CropConfig())], CropConfig())[0]
        >>> ratios = dict(zip([feature.name for feature in FEATURES], values.tolist()))
        >>> 0.2 < ratios["eye aspect ratio"] < 0.5, 0.2 < ratios["middle third"] < 0.5
        (True, True)
    """
    shares = np.asarray(points, np.float64) * (1 + 2 * config.margin) / config.size
    return np.stack([feature.measure(shares) for feature in FEATURES], axis=1)
