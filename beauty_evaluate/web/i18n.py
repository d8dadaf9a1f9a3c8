"""The language of the page: its texts, with what depends on the weights filled in from their card."""

from collections.abc import Iterator, Mapping

from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.web import guide, wording

LANGUAGES = ("en", "zh")
_TEXTS = {**wording.TEXTS, **guide.TEXTS}

# Labels of groups as data sets write them, and of parts of a score. Any other label is shown as it is.
_LABELS: dict[str, tuple[str, str]] = {
    "all": ("all", "全部"), "female": ("women", "女性"), "male": ("men", "男性"),
    "asian": ("Asian", "亚洲人"), "black": ("Black", "黑人"), "caucasian": ("Caucasian", "白人"),
    "hispanic": ("Hispanic", "西班牙裔"), "indian": ("Indian", "印度人"), "mideastern": ("Middle Eastern", "中东人"),
    "SCUT-FBP5500/AF": ("Asian women", "亚洲女性"), "SCUT-FBP5500/AM": ("Asian men", "亚洲男性"),
    "SCUT-FBP5500/CF": ("Caucasian women", "白人女性"), "SCUT-FBP5500/CM": ("Caucasian men", "白人男性"),
    # parts of a score: adjectives, and what is no region of an explanation
    "attractive": ("attractive", "有吸引力"), "beautiful": ("beautiful", "美丽"), "hot": ("hot", "性感"),
    "aesthetic": ("aesthetic", "有美感"), "pretty": ("pretty", "漂亮"), "lips": ("lips", "嘴唇"),
    "skin": ("skin", "皮肤"), "jaw": ("jaw", "下颌"),
}  # fmt: skip


class Texts(Mapping[str, str]):
    """What the page says in one language.

    Args:
        language: one of LANGUAGES.

    Example:
        >>> texts = Texts("en")
        >>> texts["send"], texts.say("face", face=2, faces=3)
        ('Score', 'Face 2 of 3')
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def __getitem__(self, key: str) -> str:
        return _TEXTS[key][self._column]

    def __iter__(self) -> Iterator[str]:
        return iter(_TEXTS)

    def __len__(self) -> int:
        return len(_TEXTS)

    def say(self, key: str, **values: object) -> str:
        """A text with its gaps filled."""
        return self[key].format(**values)

    def label(self, label: str, data_set: str = "") -> str:
        """The title of a group of faces: the label itself where no title is known.

        Args:
            label: of the group, or several with commas between them.
            data_set: whose label it is.

        Example:
            >>> Texts("en").label("female, asian"), Texts("en").label("left-handed")
            ('women, Asian', 'left-handed')
        """
        if titles := _LABELS.get(f"{data_set}/{label}") or _LABELS.get(label):
            return titles[self._column]
        parts = [_LABELS[part][self._column] if part in _LABELS else part for part in label.split(", ")]
        return self["list"].join(parts) if len(parts) > 1 else label

    def part(self, name: str) -> str:
        """The title of a part of a score: a region, an adjective, or the name itself where no title is known.

        Example:
            >>> Texts("zh").part("nose"), Texts("zh").part("my network")
            ('鼻子', 'my network')
        """
        return self[name] if name in NAMES else self.label(name)
