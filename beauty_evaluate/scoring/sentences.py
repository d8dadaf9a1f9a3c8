"""What a comparison says, and what it does not, in sentences."""

from collections.abc import Sequence

from beauty_evaluate.raters.card import Card
from beauty_evaluate.scoring.ranking import Entry, Person, is_significant, joint_half_width, pairs, people, ranked

NO_INTERVAL = "These weights have no prediction intervals, so nobody can say whether the difference means anything."


def difference(a: Entry, b: Entry) -> str:
    """A sentence on two faces."""
    high, low = (a, b) if a.score >= b.score else (b, a)
    gap = high.score - low.score
    reach = joint_half_width(high, low)
    if reach is None:
        return f"{high.name} scores {gap:.2f} higher than {low.name}. {NO_INTERVAL}"
    if gap > reach:
        return f"{high.name} scores {gap:.2f} higher than {low.name}: more than the +- {reach:.2f} of the two scores."
    return f"{high.name} and {low.name} differ by {gap:.2f}, less than the +- {reach:.2f} of the two scores: a tie."


def change(before: Entry, after: Entry) -> str:
    """A sentence on two photos of one person."""
    sentence = f"{after.name} scores {after.score - before.score:+.2f} against {before.name}"
    reach = joint_half_width(before, after)
    if reach is None:
        return f"{sentence}. {NO_INTERVAL}"
    if is_significant(before, after):
        return f"{sentence}: more than the +- {reach:.2f} of the two scores."
    return f"{sentence}: less than the +- {reach:.2f} of the two scores, so no significant change."


def summary(person: Person) -> str:
    """A sentence on several photos of one person."""
    best, worst = (f"{entry.name} ({entry.score:.2f})" for entry in (person.best, person.worst))
    sentence = f"{person.name}: mean {person.mean:.2f} over {person.photos} photos, standard deviation {person.sd:.2f}"
    if is_significant(person.best, person.worst) is False:
        return f"{sentence}; even the best, {best}, and the worst, {worst}, are a tie within the intervals."
    return f"{sentence}; the best is {best}, the worst {worst}."


def verdicts(faces: Sequence[Entry]) -> list[str]:
    """What a ranking of these faces says.

    Args:
        faces: in any order, with names that differ (`disambiguate_names`).

    Returns:
        Sentences: pairs of before and after, people, then who leads, or where each face that was asked about stands
        among those it is compared with.
    """
    order, before_after = ranked(faces), pairs(faces)
    lines = [change(before, after) for before, after in before_after]
    lines += [summary(person) for person in people(faces)]
    if any(not entry.is_query for entry in order):
        return [*lines, *(_standing(entry, order) for entry in order if entry.is_query)]
    if len(order) == 2 and not before_after:
        lines.append(difference(*order))
    return [*lines, _lead(order)] if len(order) > 2 else lines


def _standing(entry: Entry, order: Sequence[Entry]) -> str:
    """Where a face stands among others that were not asked about."""
    others = [other for other in order if not other.is_query]
    above = sum(other.score > entry.score for other in others)
    nearest = min(others, key=lambda other: abs(other.score - entry.score))
    sentence = (
        f"{entry.name} ({entry.score:.2f}) would rank {above + 1} of {len(others) + 1}, "
        f"next to {nearest.name} ({nearest.score:.2f})"
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
    first = order[0]
    significant = [is_significant(first, other) for other in order[1:]]
    sentence = f"{first.name} scores highest ({first.score:.2f})"
    if None in significant:
        return f"{sentence}. {NO_INTERVAL}"
    ties = significant.count(False)
    if ties:
        return f"{sentence}; with {ties} of the other {len(significant)} it is a tie within the intervals."
    return f"{sentence}; all others are significantly lower."


def about(card: Card) -> str:
    """What scores of a rater are, for the foot of a page.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> about(registry.load_card("six_block")).split(". ")[0]
        'The scores estimate the mean rating, 1..5, that the raters of SCUT-FBP5500 would give'
    """
    data = " and ".join(part.data_set for part in card.trained_on)
    source = f"the raters of {data} would give" if data else f"{card.name} gives without having learnt from ratings"
    limits = (
        f" They mean little for faces unlike those of {data} (another origin or age, a turned head)." if data else ""
    )
    return (
        f"The scores estimate the mean rating, {card.scale}, that {source}. They do not measure anyone's worth; light, "
        f"lens and a smile move them.{limits}"
    )
