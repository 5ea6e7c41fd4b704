"""Columns that say who somebody is, and free text: told by their names and by their values. They are never learned."""

from __future__ import annotations

import re
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tabgan.column import Personal

LOOK_VALUES = 1_000
"""Different values that are looked at."""
MOST = 0.9
"""Most values look like what the column is taken for: at least so large a share."""
MANY = 0.3
"""Names and addresses of persons differ: so many different values for every row, at least."""


class _Sign(NamedTuple):
    """How one kind of personal value is told: by a column's name, by its values, or only by both."""

    kind: Personal
    name: str
    values: str
    alone: bool
    """Whether the values tell without a name."""


_EMAIL = r"[\p{L}0-9._%+'-]+@[\p{L}0-9.-]+\.\p{L}{2,}"
_BYTE = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
_IP = rf"({_BYTE}\.){{3}}{_BYTE}|[0-9a-f:]*:[0-9a-f:]+:[0-9a-f:]*"
_PHONE = r"\+\d{1,3}[ -]?[\d ()./-]{6,17}\d|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4}"
_WORD = r"\p{L}[\p{L}.'’-]*"
_FULL_NAME = r"(\p{Lu}[\p{L}.'’-]*,? )([\p{L}.()\"'’-]+,? ){0,6}\p{Lu}[\p{L}.'’)\"-]*"
_WHO = "full|customer|client|patient|employee|person|contact|holder|owner|guest|passenger|player|author|member"
_WHO += "|student|driver|cardholder|user"
_SIGNS = [
    _Sign("email", r"mail", _EMAIL, True),
    _Sign("url", r"url|website|homepage|link", r"(https?://|www\.)\S+", True),
    _Sign("ip", r"(^|[^a-z])ip([^a-z]|$)|ip_?addr", _IP, True),
    _Sign("iban", r"iban|account", r"[A-Z]{2}\d{2} ?([A-Z0-9]{4} ?){2,7}[A-Z0-9]{0,4}", True),
    _Sign("ssn", r"ssn|social.?sec|national.?id|tax.?id", r"\d{3}-\d{2}-\d{4}", True),
    _Sign(
        "phone",
        r"phone|mobile|fax|(^|[^a-z])(tel|cell)([^a-z]|$)|contact.?n",
        r"[+(\d][\d ()./+-]{5,20}\d(\s?x\d+)?",
        False,
    ),
    _Sign("phone", "", _PHONE, True),
    _Sign("first_name", r"(first|given|fore|middle)[-_ ]?name|vorname|prénom", rf"{_WORD}( {_WORD})?", False),
    _Sign("last_name", r"(last|family|sur|maiden)[-_ ]?name|nachname", rf"{_WORD}( {_WORD}){{0,2}}", False),
    _Sign("user_name", r"user[-_ ]?name|login|nick[-_ ]?name|handle", r"@?\p{L}[\p{L}0-9._-]{2,30}", False),
    _Sign("name", rf"({_WHO})s?[-_ ]?names?", rf"({_WORD},? ){{1,7}}{_WORD}|{_WORD}", False),
    _Sign("name", r"names?$|^(customer|patient|employee|player|passenger|driver|author)s?$", _FULL_NAME, False),
    _Sign("address", r"address|street|addr($|[^a-z])|strasse|straße", r".*(\d.*\p{L}|\p{L}.*\d).*", False),
]

_GIVEN = """
    james mary john patricia robert jennifer michael linda david elizabeth william barbara richard susan joseph jessica
    thomas sarah charles karen daniel lisa matthew nancy anthony betty mark sandra paul ashley andrew emily anna maria
    peter hans klaus julia laura sophie marie jean pierre michel philippe jose juan carlos luis ana carmen marco giulia
    luca francesca ali mohammed muhammad ahmed fatima omar wei li ming yuki hiroshi ivan olga dmitri elena piotr
    katarzyna lars erik ingrid sven emma olivia noah liam george henry alice grace helen kevin brian jason ryan eric
    stephen scott amy angela melissa rebecca samuel benjamin alexander christopher nicholas
"""
GIVEN_SHARE = 0.1
"""Of full names so many hold one of the commonest given names."""

TEXT_LENGTH, TEXT_SHARE = 40, 0.5
"""Free text is as long as this on average, and so many values for every row are different."""


def personal(name: str, known: pa.Array, rows: int) -> tuple[Personal, str] | None:
    """What of a person a column of text holds, and why it is taken for that; None for other columns.

    `known`: its different values; `rows`: how many cells are not missing.
    """
    some = known.slice(0, LOOK_VALUES)
    if not len(some):
        return None
    named = name.strip()
    for sign in _SIGNS:
        by_name = bool(sign.name) and re.search(f"(?i){sign.name}", named) is not None
        if not by_name and not sign.alone:
            continue
        if not by_name and len(known) < 3:
            continue
        if sign.kind in ("name", "address") and len(known) < MANY * rows:
            continue
        if sign.kind == "name" and by_name and not _given_names(some):
            continue
        share = pc.mean(pc.match_substring_regex(some, f"^(?:{sign.values})$").cast(pa.float64())).as_py()
        if share >= MOST:
            look = f"{share:.0%} of its values look like one"
            return sign.kind, f"its name says so, and {look}" if by_name else look
    return None


def _given_names(values: pa.Array) -> bool:
    """Whether values are names of persons and not of things: given names are among their words."""
    pattern = rf"(?i)(^|[ ,.])({'|'.join(_GIVEN.split())})($|[ ,.])"
    return bool(pc.mean(pc.match_substring_regex(values, pattern).cast(pa.float64())).as_py() >= GIVEN_SHARE)


def free_text(known: pa.Array, rows: int) -> str | None:
    """Why a column is taken for free text, given its different values and how many cells are not missing; or None."""
    if not len(known) or len(known) < TEXT_SHARE * rows:
        return None
    some = known.slice(0, LOOK_VALUES)
    length = pc.mean(pc.utf8_length(some)).as_py()
    spaces = pc.mean(pc.match_substring(some, " ").cast(pa.float64())).as_py()
    if length < TEXT_LENGTH or spaces < MOST:
        return None
    return f"its values are {length:.0f} characters long on average, and most are different"
