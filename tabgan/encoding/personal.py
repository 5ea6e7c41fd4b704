"""Personal values and free text, made up: names, e-mail addresses, telephone numbers, sentences.

Who row i is depends on the seed and on i alone, so that all personal columns of a row are of one person. Names
come from Faker's lists (the extra `pii`), which are kept in the model file; without it, a plain pattern stands in.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.encoding.key import fill, shapes_of
from tabgan.encoding.made_up import MadeUpEncoder, hashed
from tabgan.errors import SchemaError, meant

NAMES, PLACES = 1_000, 300
"""Different names, streets and cities that are kept."""
LOOK_ROWS = 10_000
"""Cells whose look is taken over."""
SHAPES = 20
"""Looks of telephone and other numbers that are kept: the commonest."""
SAME_VALUES = 20
"""What fewer values have in common may be told of one person."""
FREE = "\0"
"""Marks places of a shape that differ from value to value."""
DOMAINS = ["example.com", "example.org", "example.net"]
"""Reserved: no real address ends so (RFC 2606)."""

_LOREM = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore"
_LOREM += " magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea commodo"
_LOREM += " consequat duis aute irure in reprehenderit voluptate velit esse cillum eu fugiat nulla pariatur excepteur"
_LOREM += " sint occaecat cupidatat non proident sunt culpa qui officia deserunt mollit anim id est laborum"


class PersonalEncoder(MadeUpEncoder):
    """Personal values of one kind, `Column.pii`."""

    kind = "pii"

    def look(self, known: pa.ChunkedArray) -> dict[str, Any]:
        some = known.slice(0, LOOK_ROWS).cast(pa.string())
        distinct = len(pc.unique(known))
        # Where persons come again, so do made-up ones; about as many are told apart.
        people = distinct if distinct < 0.5 * len(known) else None
        assert self.column.pii is not None
        found = {"people": people, **_LOOKS[self.column.pii](some, self.column.locale)}
        if "domains" in found:
            found["domains"] = _unused(known.cast(pa.string()), DOMAINS)
        return found

    def more(self, known: pa.ChunkedArray) -> dict[str, Any]:
        if "domains" not in self.state_:
            return {}
        return {"domains": _unused(known.cast(pa.string()), self.state_["domains"])}

    def make(self, rows: np.ndarray, seed: int) -> pa.Array:
        people = self.state_["people"]
        who = rows if people is None else (hashed(rows, seed, "who") % np.uint64(people)).astype(np.int64)
        assert self.column.pii is not None
        return pa.array(_MAKERS[self.column.pii](self.state_, who, seed), pa.string())


class TextEncoder(MadeUpEncoder):
    """Free text: words without a meaning, as long as the real texts."""

    kind = "text"

    def look(self, known: pa.ChunkedArray) -> dict[str, Any]:
        lengths = np.asarray(pc.utf8_length(known)) if len(known) else np.array([40])
        quantiles = np.quantile(lengths, np.linspace(0.02, 0.98, 25)).astype(int).tolist()
        return {"lengths": quantiles, "words": _LOREM.split()}

    def make(self, rows: np.ndarray, seed: int) -> pa.Array:
        lengths, words = self.state_["lengths"], self.state_["words"]
        longest = max(2, int(max(lengths) / 4) + 2)
        name = self.column.name
        wanted = np.array(lengths)[hashed(rows, seed, name, "length") % np.uint64(len(lengths))]
        picked = [_pick(words, rows, seed, name, i) for i in range(min(longest, 400))]
        return pa.array([_sentence(*each) for each in zip(zip(*picked, strict=True), wanted.tolist(), strict=True)])


def _sentence(words: Sequence[str], length: int) -> str:
    text = ""
    for word in words:
        if len(text) + len(word) >= length:
            break
        text += f" {word}" if text else word.capitalize()
    return f"{text or words[0].capitalize()}."


def _pick(words: Sequence[str], who: np.ndarray, *key: object) -> list[str]:
    """One of `words` for each of `who`."""
    return [words[i] for i in (hashed(who, *key) % np.uint64(len(words))).tolist()]


# What is taken over of real values


def _names(some: pa.ChunkedArray, locale: str) -> dict[str, Any]:
    """The lists of names, and how names are written: in which case, and whether the last name comes first."""
    listed = some.to_pylist()
    found: dict[str, Any] = {"case": _case(listed), "comma": sum("," in name for name in listed) > len(listed) / 2}
    if _faker(locale):
        found["first"], found["last"] = map(list, _people(locale))
    return found


@cache  # Faker takes a quarter of a second for them, and a table may have five such columns
def _people(locale: str) -> tuple[Sequence[str], Sequence[str]]:
    """First and last names of a locale."""
    faker = _faker(locale)
    return _different(faker.first_name, NAMES // 2), _different(faker.last_name, NAMES)


def _mail(some: pa.ChunkedArray, locale: str) -> dict[str, Any]:
    return {**_names(some, locale), "case": "lower", "domains": DOMAINS}


def _unused(addresses: pa.ChunkedArray, domains: Sequence[str]) -> list[str]:
    """Those of `domains` that no real address is of."""
    lower = pc.utf8_lower(addresses)
    free = [name for name in domains if not pc.any(pc.ends_with(lower, f"@{name}"), min_count=0).as_py()]
    return free or ["mail.example"]


def _addresses(some: pa.ChunkedArray, locale: str) -> dict[str, Any]:
    listed = some.to_pylist()
    found: dict[str, Any] = {
        "case": _case(listed),
        "number_first": sum(bool(re.match(r"\d", each)) for each in listed) * 2 >= len(listed),
        "city": sum("," in each for each in listed) * 2 > len(listed),
    }
    faker = _faker(locale)
    if faker:
        found |= {"streets": _different(faker.street_name, PLACES), "cities": _different(faker.city, PLACES)}
    return found


def _patterns(some: pa.ChunkedArray, locale: str) -> dict[str, Any]:
    """The commonest shapes, and what of each is the same in all values that have it, such as a country's code."""
    shapes = shapes_of(some)
    counts = pc.value_counts(shapes).to_pylist()
    common = sorted(counts, key=lambda each: (-each["counts"], each["values"]))[:SHAPES]
    found = []
    for each in common:
        values = some.filter(pc.equal(shapes, each["values"])).to_pylist()
        same = "".join(marks[0] if len(set(marks)) == 1 else FREE for marks in zip(*values, strict=True))
        kept = same if len(values) >= SAME_VALUES else FREE * len(same)
        found.append({"shape": each["values"], "same": kept, "weight": each["counts"]})
    return {"shapes": found}


def _networks(some: pa.ChunkedArray, locale: str) -> dict[str, Any]:
    listed = some.to_pylist()
    return {
        "v6": sum(":" in each for each in listed) * 2 > len(listed),
        "ten": any(each.startswith("10.") for each in listed),
    }


def _case(listed: Sequence[str]) -> str:
    for case in ("upper", "lower"):
        if listed and all(getattr(each, case)() == each for each in listed):
            return case
    return "title"


def _faker(locale: str) -> Any:
    """Faker for a locale, always in the same state; None where it is not installed."""
    try:
        import faker
    except ImportError:
        warnings.warn(
            "personal columns are filled by plain patterns; for names and addresses that look real, "
            "pip install 'tabgan-wgan[pii]' and fit again.",
            stacklevel=2,
        )
        return None
    try:
        made = faker.Faker(locale)
    except AttributeError:
        from faker.config import AVAILABLE_LOCALES

        raise SchemaError(f"no locale {locale!r}{meant(locale, sorted(AVAILABLE_LOCALES))}") from None
    made.seed_instance(0)
    return made


def _different(make: Callable[[], str], count: int) -> list[str]:
    return list(dict.fromkeys(make() for _ in range(4 * count)))[:count]


# New values


def _cased(text: str, case: str) -> str:
    return text if case == "title" else text.upper() if case == "upper" else text.lower()


def _firsts(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    return _pick(state["first"], who, seed, "first") if "first" in state else [f"First{n}" for n in who.tolist()]


def _lasts(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    return _pick(state["last"], who, seed, "last") if "last" in state else [f"Last{n}" for n in who.tolist()]


def _first_name(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    return [_cased(first, state["case"]) for first in _firsts(state, who, seed)]


def _last_name(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    return [_cased(last, state["case"]) for last in _lasts(state, who, seed)]


def _name(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    firsts, lasts = _firsts(state, who, seed), _lasts(state, who, seed)
    form = "{1}, {0}" if state["comma"] else "{0} {1}"
    return [_cased(form.format(first, last), state["case"]) for first, last in zip(firsts, lasts, strict=True)]


def _user_name(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    firsts, lasts = _firsts(state, who, seed), _lasts(state, who, seed)
    return [f"{_ascii(first)[:1]}{_ascii(last)}{n}" for first, last, n in zip(firsts, lasts, who.tolist(), strict=True)]


def _email(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    firsts, lasts = _firsts(state, who, seed), _lasts(state, who, seed)
    domains = _pick(state["domains"], who, seed, "domain")
    parts = zip(firsts, lasts, who.tolist(), domains, strict=True)
    return [f"{_ascii(first)}.{_ascii(last)}{n}@{domain}" for first, last, n, domain in parts]


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]", "", plain) or "x"


def _address(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    streets = _pick(state.get("streets", ["Example Street"]), who, seed, "street")
    cities = _pick(state.get("cities", ["Example City"]), who, seed, "city")
    numbers = (hashed(who, seed, "number") % np.uint64(999) + np.uint64(1)).tolist()
    form = "{1} {0}" if state["number_first"] else "{0} {1}"
    form += ", {2}" if state["city"] else ""
    return [_cased(form.format(*parts), state["case"]) for parts in zip(streets, numbers, cities, strict=True)]


def _pattern(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    """Values of the shapes that the real ones have, as often as these have them."""
    weights = np.array([each["weight"] for each in state["shapes"]])
    shares = weights.cumsum() / weights.sum()
    at = np.searchsorted(shares, (hashed(who, seed, "shape") >> np.uint64(11)) / 2**53, side="right")
    texts = np.empty(len(who), dtype=object)
    for i, each in enumerate(state["shapes"]):
        here = np.minimum(at, len(shares) - 1) == i
        if here.any():
            made = fill(each["shape"], who[here], (seed, each["shape"])).to_pylist()
            texts[here] = [
                "".join(new if old == FREE else old for new, old in zip(text, each["same"], strict=True))
                for text in made
            ]
    found: list[str] = texts.tolist()
    return found


def _iban(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    return [_checked(text) for text in _pattern(state, who, seed)]


def _checked(text: str) -> str:
    """An IBAN with its right check digits (ISO 13616: the number modulo 97 is 1)."""
    bare = text.replace(" ", "")
    digits = "".join(str(int(mark, 36)) for mark in f"{bare[4:]}{bare[:2]}00")
    return f"{text[:2]}{98 - int(digits) % 97:02d}{text[4:]}"


def _ip(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    low = hashed(who, seed, "ip")
    if state["v6"]:  # 2001:db8::/32 is reserved for documentation (RFC 3849)
        return [f"2001:db8:{n >> 16 & 0xFFFF:x}:{n & 0xFFFF:x}::{n >> 32 & 0xFFFF:x}" for n in low.tolist()]
    head = "172.16" if state["ten"] else "10"  # private addresses (RFC 1918): nobody's
    tail = "{0}.{1}" if state["ten"] else "{2}.{0}.{1}"
    return [f"{head}.{tail.format(n & 255, n >> 8 & 255, n >> 16 & 255)}" for n in low.tolist()]


def _url(state: dict[str, Any], who: np.ndarray, seed: int) -> list[str]:
    words = _pick(_LOREM.split(), who, seed, "url")
    return [f"https://www.example.com/{word}/{n}" for word, n in zip(words, who.tolist(), strict=True)]


_LOOKS: dict[str, Callable[[pa.ChunkedArray, str], dict[str, Any]]] = {
    "name": _names,
    "first_name": _names,
    "last_name": _names,
    "user_name": _names,
    "email": _mail,
    "phone": _patterns,
    "address": _addresses,
    "iban": _patterns,
    "ip": _networks,
    "url": lambda some, locale: {},
    "ssn": _patterns,
}
_MAKERS: dict[str, Callable[[dict[str, Any], np.ndarray, int], list[str]]] = {
    "name": _name,
    "first_name": _first_name,
    "last_name": _last_name,
    "user_name": _user_name,
    "email": _email,
    "phone": _pattern,
    "address": _address,
    "iban": _iban,
    "ip": _ip,
    "url": _url,
    "ssn": _pattern,
}
