"""The report of one face as one file: text, tables and pictures inside, nothing from elsewhere."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from beauty_evaluate.drawing import LOWERS, RAISES
from beauty_evaluate.explain.region_shapley import RegionEffects

FULL_SCALE = 0.5  # rating points at which a bar or a colour is at its end

_COLOURS = f":root {{ color-scheme: light; --raise: {RAISES}; --lower: {LOWERS}; }}"
_STYLE = """
body { font: 17px/1.5 system-ui, sans-serif; color: #222; background: #fff; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem; }
img { max-width: 100%; height: auto; display: block; } figure { margin: .8rem 0; }
figcaption, .note { color: #555; font-size: .92rem; }
.score { font-size: 2.4rem; font-weight: 700; } .score small { font-size: 1.1rem; font-weight: 400; color: #555; }
.face { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: center; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .25rem .4rem; text-align: right; }
td:first-child, th:first-child { text-align: left; } td + td { white-space: nowrap; } th.bar { text-align: center; }
tr { border-bottom: 1px solid #e5e5e5; }
.bar { position: relative; width: 45%; min-width: 7rem; }
.bar i { position: absolute; top: .35rem; height: 1rem; }
.bar b { position: absolute; left: 50%; top: 0; bottom: 0; width: 1px; background: #999; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: 1rem; padding: 0; }
.cards li { list-style: none; border: 1px solid #ddd; padding: .5rem; overflow-wrap: anywhere; font-size: .92rem; }
.cards li.mine { border: 3px solid var(--raise); } .cards b { font-size: 1.3rem; } .cards img { width: 100%; }
.warn { border-left: 4px solid var(--raise); padding: .2rem .8rem; background: #fdf5ec; }
@media (max-width: 30rem) { table { font-size: .85rem; } td, th { padding: .25rem .15rem; } .bar { min-width: 4rem; } }
@media print { body { max-width: none; font-size: 11pt; } h2, figure, tr { break-inside: avoid; } }
""".strip()


@dataclass(frozen=True)
class Section:
    """A heading, what stands under it (HTML), and pictures with a line of plain words each. name: for links to it."""

    title: str
    body: str = ""
    pictures: Sequence[tuple[Path, str]] = ()
    name: str = ""


def page(title: str, head: str, sections: Sequence[Section]) -> str:
    """The page. head: HTML above the sections. Pictures are PNG or JPEG files, put into the page."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{_COLOURS}\n{_STYLE}</style></head><body>",
        head,
    ]
    for section in sections:
        name = f' id="{section.name}"' if section.name else ""
        parts += [f"<section{name}><h2>{escape(section.title)}</h2>", section.body]
        parts += [_figure(picture, words) for picture, words in section.pictures]
        parts += ["</section>"]
    return "\n".join([*parts, "</body></html>", ""])


def _figure(picture: Path, words: str) -> str:
    kind = "jpeg" if picture.suffix == ".jpg" else "png"
    data = base64.b64encode(picture.read_bytes()).decode()
    alt = escape(words, quote=True)
    picture_tag = f'<img alt="{alt}" src="data:image/{kind};base64,{data}">'
    return f"<figure>{picture_tag}<figcaption>{escape(words)}</figcaption></figure>"


def paragraph(words: str, kind: str = "") -> str:
    """A paragraph of plain words; kind: a class of the style, `note` or `warn`."""
    return f'<p class="{kind}">{escape(words)}</p>' if kind else f"<p>{escape(words)}</p>"


def effects_table(effects: RegionEffects) -> str:
    """Regions with a bar each, those that raise most first, on one fixed scale."""
    rows = [
        '<tr><th>Region</th><th class="bar">lowers | raises</th><th>points</th><th>area</th></tr>',
    ]
    for i in effects.effects.argsort()[::-1]:
        effect = float(effects.effects[i])
        width = min(abs(effect) / FULL_SCALE, 1) * 50
        left, colour = (50.0, "--raise") if effect > 0 else (50 - width, "--lower")
        bar = f'<b></b><i style="left:{left:.1f}%;width:{width:.1f}%;background:var({colour})"></i>'
        rows.append(
            f'<tr><td>{escape(effects.names[i])}</td><td class="bar">{bar}</td><td>{effect:+.2f}</td>'
            f"<td>{100 * effects.areas[i]:.0f} %</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"
