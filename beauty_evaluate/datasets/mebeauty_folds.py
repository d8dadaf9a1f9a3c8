"""Five parts of MEBeauty's training list, which keep a person's photos and the copies of a photo together."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from beauty_evaluate.datasets.splits import Split
from beauty_evaluate.raters.card import photo_hash

TITLE = "MEBeauty"
FOLDS = tuple(f"fold{k}" for k in range(1, 6))
PHOTOGRAPHER = re.compile(r"(.+)-.{11}-unsplash")  # who often took one person several times

# The photos that stand in the set twice, by `evaluation.duplicates.in_data_set`, as `photo_hash` of their names.
_COPIES = """
04733b3ce755ea59 d1f375ace3797aa4
07f59f8fa1ee9158 9a1793968ae6e4c3
08e9be7e8c5c1d87 b0a02eca98c1531f
0aed680c83996bbe ad717a7997f2a040
1461afaebfc4940e 4bade0e6b7ffae0a
15f3d5960b46b3f2 8dfa891a580a8b6d
16cab2834807defd c2f6ec61200e834f
1abc7bb3ebcb0cba e570db240eebe732
1c622564dd4b00aa 8ef3f5c135c190fe
1cd5d90a4b325aca f5544d318bdaf52c
1da8bd8a45c39248 63c1d115386d4cf5
22437f4c59b8cab7 e06bf1f66f23d974
2472005f94fbdb7f d2147252597c14d1
24eba23c409b5814 54038011882f12af
2a8e94a483f09c55 a1c39c38bbb3c02b
2c6677b4b7f48014 f1ab7a2c713cc9b1
2d49151abe932c8f 3ddc98820ba3336e
33a187246eab2578 3ba641d0975b9246
35a2eb9ce106805a cc21a92c78c96ee0
3c43d95d1bea0a02 dc5acef4ba8a97d3
460b49e6009dd730 57c5768424419e7e
4843a5807717042c ddcd2c5dbb731ad4
488f414330d52e0e 6406c0f19ad8cea4
52804ab2535d8451 7f972093573de78b
52b50c1819b5d65d ab51286405f57b79
6794500d12e06098 a7d9cb16c6fe79b1
7b8aaa7c41e4f754 f91347f957f925c8
99abd9bd7aee8266 ecb1b31337ad1c5c
9c1949733dbc4e40 fea079ac93f27731
9e8f98bbeb503a0a f9ce946a136dad1f
a59e830cb94cc6b7 d5a81367188173ab
cd124a2d6c44227e feafcb70a6e6db9a
d609f22ce90466fa e839a5d049ae7695
e0604c20641ad883 e64f60ea8ec0aae9
"""
COPIES = tuple(tuple(line.split()) for line in _COPIES.strip().splitlines())


def without_copies(names: Iterable[str], others: Iterable[str]) -> list[str]:
    """The names of which no copy is among the others.

    Example:
        >>> without_copies(["female/asian/1.jpg"], ["female/asian/2.jpg"])
        ['female/asian/1.jpg']
    """
    taken = {photo_hash(TITLE, name) for name in others}
    copies = {photo for pair in COPIES for photo, other in (pair, pair[::-1]) if other in taken}
    return [name for name in names if photo_hash(TITLE, name) not in copies]


def fold(train: Iterable[str], number: int) -> Split:
    """A split of the training list: a fifth is tested on. A fifth hangs on the names alone.

    Args:
        train: Names of the training list.
        number: Of the fold, 1..5.

    Example:
        >>> names = [f"male/black/{i}.jpg" for i in range(100)]
        >>> len(fold(names, 1).test), len(set.intersection(*(set(fold(names, k).test) for k in (1, 2))))
        (26, 0)
    """
    names = sorted(train)
    keys = {name: _person(name) for name in names}
    by_hash = {photo_hash(TITLE, name): name for name in names}
    for pair in COPIES:
        first, second = (by_hash.get(photo) for photo in pair)
        if first and second:  # both persons become one
            keep, drop = sorted((keys[first], keys[second]))
            keys = {name: keep if key == drop else key for name, key in keys.items()}
    test = {name for name in names if int(hashlib.sha256(keys[name].encode()).hexdigest(), 16) % 5 == number - 1}
    return Split(f"fold{number}", tuple(n for n in names if n not in test), tuple(n for n in names if n in test))


def _person(name: str) -> str:
    """Who a photo may show: those of one photographer in one group are taken for one person."""
    path = PurePosixPath(name)
    match = PHOTOGRAPHER.match(path.name)
    return f"{path.parent}/{match[1]}" if match else name
