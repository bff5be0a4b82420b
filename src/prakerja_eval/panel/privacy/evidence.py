"""What do the values of a column give away, alone or together with a name that asks for them?"""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow.compute as pc

from prakerja_eval.panel.privacy import patterns as p
from prakerja_eval.panel.privacy.naming import innocent_of, words
from prakerja_eval.panel.shown import EMAIL, NIK
from prakerja_eval.panel.words import parts_of, suggests
from prakerja_eval.typing import BoolArray

MANY = 20  # distinct values that a column of people has at least
FEW = 20  # distinct short values that are answers


def alone(values: p.Values, name: str) -> Iterator[tuple[str, BoolArray]]:
    """Give each kind that values can tell without any name, with the values concerned."""
    yield "email", values.matches(EMAIL) if values.holds("@") else values.none()
    yield _population(values)
    yield "phone", _phones(values, name)
    if values.longest() >= 8 and values.holds(" "):
        house = values.matches(p.HOUSE)
        yield "address", house if house.sum() >= 3 and share(house) >= 0.2 else values.none()
    yield "coordinates", _places(values)
    if len(values) >= 8 and not innocent_of(name, "name"):
        yield "name", _people(values)


def few_answers(values: p.Values) -> bool:
    """Say whether values are answers such as "1", "5" or "rarely": few, short, no identifier.

    Answers with digits in words ("x1") must repeat, as answers do and ids do not.
    """
    if len(values) > FEW or values.longest() > MANY or values.holds("@"):
        return False
    if values.matches(r"[0-9](?:[ .\-]?[0-9]){4}").any():
        return False
    mixed = values.matches("[0-9]") & values.matches(r"\p{L}")
    return not mixed.any() or values.filled >= 2 * len(values)


def _people(values: p.Values) -> BoolArray:
    """Return names of people: letters, and words that are frequent in names and not in places."""
    if share(p.matches(values.sample(), p.PERSON)) < 0.5:
        return values.none()
    person = values.matches(p.PERSON)
    frequent = person & values.matches(p.frequent_name())
    if share(person) < 0.8 or share(frequent) < 0.3:
        return values.none()
    return values.none() if share(values.matches(p.place_word())) >= 0.2 else person


def _population(values: p.Values) -> tuple[str, BoolArray]:
    """Return NIK or KK numbers: half of the numbers of 16 digits must be possible ones.

    Up to four digits may follow, as where a number of the household's member stands behind.
    """
    whole = values.digits_match("[0-9]{16,20}")
    good = values.digits_match(f"{NIK}[0-9]{{0,4}}") if whole.any() else whole
    if not values.numeric.all() and values.longest() > 16:
        dense = p.compact(values.text)
        inside = p.matches(dense, p.SIXTEEN_IN_TEXT) & ~whole
        if inside.any():
            good = good | (inside & p.matches(dense, p.NIK_IN_TEXT))
            whole = whole | inside
    if not whole.any() or good.sum() < 0.5 * whole.sum():
        return "nik", values.none()
    women = values.digits_match("[0-9]{6}[4-7][0-9]{9,13}") & good
    return "kk" if good.sum() >= 10 and not women.any() else "nik", good


def _phones(values: p.Values, name: str) -> BoolArray:
    """Return mobile numbers: most of the digit cells, or any one in a text with letters."""
    found = values.digits_match(p.MOBILE)
    if found.sum() < 0.8 * values.numeric.sum() or not values.numeric.sum() * 2 >= len(values):
        found = _bare_phones(values)
    if found.any() and (_round(values) or _of_areas(values, name)):
        found = values.none()
    if values.numeric.all() or values.longest() < 11:
        return found
    free = values.matches(p.MOBILE_IN_TEXT)
    if free.any():
        found = found | (free & values.matches(r"\p{L}"))
    return found | values.matches(p.MOBILES)


def _bare_phones(values: p.Values) -> BoolArray:
    """Return mobile numbers that lost their 0, if there are several, of several operators."""
    found = values.digits_match(p.MOBILE_BARE)
    if found.sum() < 8 or share(found) < 0.9:
        return values.none()
    return found if _beginnings(values, 3) >= 3 else values.none()


def _beginnings(values: p.Values, digits: int) -> int:
    return len(pc.unique(pc.utf8_slice_codeunits(values.digits, 0, digits)))


def _round(values: p.Values) -> bool:
    """Say whether numbers are amounts: half of them whole thousands."""
    return share(values.digits_match("[0-9]+000")) >= 0.5


def _of_areas(values: p.Values, name: str) -> bool:
    """Say whether a name speaks of amounts, or of areas whose numbers begin alike."""
    if suggests(name, "money"):
        return True
    areas = not words().not_phones.isdisjoint(parts_of(name))
    return areas and _beginnings(values, 4) < 3


def _places(values: p.Values) -> BoolArray:
    """Return points, links to maps, and degrees with minutes."""
    if values.longest() < 8:
        return values.none()
    found = values.matches(p.MAP_LINK) if values.holds("://") else values.none()
    if values.holds("°"):
        found = found | if_share(values.matches(p.DEGREES_MINUTES), 0.5)
    if values.longest() >= 13 and values.holds("."):
        found = found | if_share(p.in_indonesia(values), 0.8)
    return found


def _person(values: p.Values) -> BoolArray:
    person = values.matches(p.PERSON) & values.matches(r"\p{L}.*\p{L}.*\p{L}")
    few = not _spread(values) and share(values.matches(p.frequent_name())) < 0.3
    if few:
        return values.none()
    return person if share(person) >= 0.8 else _numbered(values)


def _numbered(values: p.Values) -> BoolArray:
    """Return names of people with digits or brackets; "Wave 1", "Wave 2" begin alike."""
    loose = values.matches(p.LOOSE_PERSON)
    begin = pc.extract_regex(values.text, r"^\s*(?P<word>\p{L}+)").field(0)
    distinct = len(pc.unique(begin))
    return if_share(loose, 0.8) if distinct >= min(8, 0.5 * len(values)) else values.none()


def _relative(values: p.Values) -> BoolArray:
    """Return names of people under "ibu" or "responden": as many as people, or frequent ones."""
    person = values.matches(p.PERSON)
    capital = person & values.matches(r"^\s*\p{Lu}")
    if share(person & values.matches(p.frequent_name())) >= 0.5:
        return if_share(person, 0.8)
    many = len(values) >= 100 or len(values) >= max(MANY, 0.3 * values.filled)
    several = share(values.matches(r"\p{L}\s+\p{L}")) >= 0.5
    return if_share(capital, 0.8) if many and several else values.none()


def some_frequent(values: p.Values) -> bool:
    """Say whether a tenth of the values have a word frequent in names of people."""
    return share(values.matches(p.frequent_name())) >= 0.1


def share(chosen: BoolArray) -> float:
    """Return the share of values that were chosen."""
    return float(chosen.mean()) if len(chosen) else 0.0


def if_share(chosen: BoolArray, least: float) -> BoolArray:
    """Return the choice if its share is large enough, else a choice of none."""
    return chosen if share(chosen) >= least else np.zeros_like(chosen)


def _spread(values: p.Values) -> bool:
    """Say whether values are as many as people would have, over some twenty waves."""
    return len(values) >= 100 or len(values) >= 0.05 * values.filled


def _national(values: p.Values) -> BoolArray:
    digest = if_share(values.matches(p.DIGEST), 0.8)
    return values.digits_match("[0-9]{16}") | digest


def _telephone(values: p.Values) -> BoolArray:
    number = values.digits_match(f"{p.MOBILE}|{p.MOBILE_SHORT}|{p.LANDLINE}")
    return if_share(number, 0.5) | if_share(values.matches(p.DIGEST), 0.8)


def _digest(values: p.Values) -> BoolArray:
    return if_share(values.matches(p.DIGEST), 0.8)


def address(values: p.Values) -> BoolArray:
    """Return addresses: streets, houses, or words and a number, if as many as people."""
    if not _spread(values):
        return values.none()
    street = values.matches(p.STREET) & values.matches(r"\S\s+\S")
    several = values.matches(p.WORDS_AND_NUMBER) & ~values.matches(p.REGENCY)
    return if_share(street | values.matches(p.HOUSE) | several, 0.3)


def _account(values: p.Values) -> BoolArray:
    return if_share(values.digits_match(p.ACCOUNT), 0.5) if _spread(values) else values.none()


def _document(values: p.Values) -> BoolArray:
    return if_share(values.matches(p.DOCUMENT), 0.5) if _spread(values) else values.none()


def _online(values: p.Values) -> BoolArray:
    return if_share(values.matches(p.HANDLE), 0.8) if _spread(values) else values.none()


def _nothing(values: p.Values) -> BoolArray:
    return values.none()


SUSPICIOUS: dict[str, Callable[[p.Values], BoolArray]] = {
    "nik": _national,
    "kk": _national,
    "phone": _telephone,
    "email": _digest,
    "name": _person,
    "person": _relative,
    "address": address,
    "account": _account,
    "document": _document,
    "online": _online,
    "latitude": _nothing,
    "longitude": _nothing,
}
