"""What a comparison says, and what it does not, in sentences."""

from collections.abc import Sequence

from beauty_evaluate.phrases import plain_warnings, signed
from beauty_evaluate.raters.card import Card
from beauty_evaluate.scoring.ranking import Entry, Person, is_significant, joint_half_width, pairs, people, ranked

NO_INTERVAL = "These weights have no prediction intervals, so nobody can say whether the difference means anything."


def caution(*entries: Entry) -> str:
    """A sentence with a space after it, to stand before what is said of these faces; "" if none is doubtful."""
    doubtful = [
        f"{entry.name} ({', '.join(plain_warnings(entry.row.warnings))})" for entry in entries if entry.is_doubtful
    ]
    if not doubtful:
        return ""
    scores, mean = ("scores", "mean") if len(doubtful) > 1 else ("score", "means")
    return f"The {scores} of {' and '.join(doubtful)} {mean} little, and so does this comparison. "


def difference(a: Entry, b: Entry) -> str:
    """A sentence on two faces."""
    high, low = (a, b) if a.score >= b.score else (b, a)
    gap, before = high.score - low.score, caution(high, low)
    reach = joint_half_width(high, low)
    if reach is None:
        return f"{before}{high.name} scores {gap:.2f} higher than {low.name}. {NO_INTERVAL}"
    if gap > reach:
        sentence = (
            f"{high.name} scores {gap:.2f} higher than {low.name}: more than the +- {reach:.2f} of the two scores."
        )
        return before + sentence
    sentence = f"{high.name} and {low.name} differ by {gap:.2f}, less than the +- {reach:.2f} of the two scores: a tie."
    return before + sentence


def change(before: Entry, after: Entry) -> str:
    """A sentence on two photos of one person."""
    sentence = f"{caution(before, after)}{after.name} scores {signed(after.score - before.score)} against {before.name}"
    reach = joint_half_width(before, after)
    if reach is None:
        return f"{sentence}. {NO_INTERVAL}"
    if is_significant(before, after):
        return f"{sentence}: more than the +- {reach:.2f} of the two scores."
    return f"{sentence}: less than the +- {reach:.2f} of the two scores, so no significant change."


def summary(person: Person) -> str:
    """A sentence on several photos of one person."""
    best, worst = (f"{entry.name} ({entry.score:.2f})" for entry in (person.best, person.worst))
    sentence = (
        f"{caution(person.best, person.worst)}{person.name}: mean {person.mean:.2f} over {person.photos} photos, "
        f"standard deviation {person.sd:.2f}{_left_out(person.left_out, 'photo')}"
    )
    if is_significant(person.best, person.worst) is False:
        return f"{sentence}; even the best, {best}, and the worst, {worst}, are a tie within the intervals."
    return f"{sentence}; the best is {best}, the worst {worst}."


def _left_out(count: int, what: str) -> str:
    if not count:
        return ""
    return f"; {count} doubtful {what}{'s' * (count > 1)} {'are' if count > 1 else 'is'} left out"


def verdicts(faces: Sequence[Entry]) -> list[str]:
    """What a ranking of these faces says.

    Args:
        faces: in any order, with names that differ (`disambiguate_names`).

    Returns:
        Sentences: pairs of before and after, people, then who leads, or where each face that was asked about stands
        among those it is compared with. A sentence on doubtful scores says so first.
    """
    order, before_after = ranked(faces), pairs(faces)
    lines = [change(before, after) for before, after in before_after]
    lines += [summary(person) for person in people(faces)]
    if any(not entry.is_query for entry in order):
        return [*lines, *(_standing(entry, order) for entry in order if entry.is_query)]
    if len(order) == 2 and not before_after:
        lines.append(difference(*order))
    return [*lines, _lead(order)] if len(order) > 2 else lines


def _clear(faces: Sequence[Entry]) -> tuple[list[Entry], int]:
    """Those that are not doubtful, and how many are; all of them if all are doubtful."""
    clear = [entry for entry in faces if not entry.is_doubtful]
    return (clear, len(faces) - len(clear)) if clear else (list(faces), 0)


def _standing(entry: Entry, order: Sequence[Entry]) -> str:
    """Where a face stands among others that were not asked about."""
    others, doubtful = _clear([other for other in order if not other.is_query])
    above = sum(other.score > entry.score for other in others)
    nearest = min(others, key=lambda other: abs(other.score - entry.score))
    sentence = (
        f"{caution(entry, nearest)}{entry.name} ({entry.score:.2f}) would rank {above + 1} of {len(others) + 1}, "
        f"next to {nearest.name} ({nearest.score:.2f}){_left_out(doubtful, 'face')}"
    )
    significant = [is_significant(entry, other) for other in others]
    if None in significant:
        return f"{sentence}. {NO_INTERVAL}"
    ties = significant.count(False)
    if ties:
        return f"{sentence}; with {ties} of the {len(others)} it is a tie within the intervals."
    return f"{sentence}; it differs significantly from all of them."


def _lead(order: Sequence[Entry]) -> str:
    """How many the first ties with."""
    (first, *others), doubtful = _clear(order)
    sentence = f"{caution(first)}{first.name} scores highest ({first.score:.2f}){_left_out(doubtful, 'face')}"
    significant = [is_significant(first, other) for other in others]
    if None in significant:
        return f"{sentence}. {NO_INTERVAL}"
    ties = significant.count(False)
    if ties:
        return f"{sentence}; with {ties} of the other {len(significant)} it is a tie within the intervals."
    return f"{sentence}; all others are significantly lower." if others else f"{sentence}."


def about(card: Card) -> str:
    """What scores of a rater are, for the foot of a page.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> about(registry.load_card("six_block_60-40")).split(". ")[0]
        'The scores estimate the mean rating, 1..5, that the raters of SCUT-FBP5500 and MEBeauty would give'
    """
    data = card.data_sets
    source = f"the raters of {data} would give" if data else f"{card.name} gives without having learnt from ratings"
    limits = (
        f" They mean little for faces unlike those of {data} (another origin or age, a turned head)." if data else ""
    )
    return (
        f"The scores estimate the mean rating, {card.scale}, that {source}. They do not measure anyone's worth; light, "
        f"lens and a smile move them.{limits}"
    )
