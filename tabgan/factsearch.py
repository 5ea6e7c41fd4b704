"""The search for hard facts, on the values of a table: what holds in every row although chance would have broken it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabgan.arithmetic import near, products, sums, weighted_sums
from tabgan.chance import LEAST_CHANCES, never_by_chance
from tabgan.column import Column, Part, as_float, labels_as_codes, plain
from tabgan.facts import Fact, common, mostly_common, without_circles
from tabgan.inference import determines, maps, repeats
from tabgan.pursuit import LOOK_ROWS, Numbers, spread
from tabgan.uniqueness import find_unique

FIRST_ROWS = 300
"""Rows on which most pairs of columns already fail to fix each other."""
SAME_SHARE = 0.05
"""Of the values that are not common anyway, the least share that equals another column's."""
SAME_COLUMNS = 3
"""Columns that a column is looked at for being the same as, the likeliest first."""
LABELS = 120
"""Numbers of no more different values than this can fix another column."""
CLOSE = 0.5
"""Of two numbers in order one is told by the difference if that ranges over no more than this share of its range."""
WIDER = 1.2
"""Of two columns in order the higher one follows from the lower one, unless that one's range is so many times wider."""
PAIR_COLUMNS = 40
"""In tables of more label columns than this, no pair of columns is looked at for fixing a third."""


def find_facts(table: pa.Table, columns: Sequence[Column]) -> tuple[Fact, ...]:
    """The facts among the columns of `table`, which has one row at least."""
    labels = {
        column.name: labels_as_codes(table[column.name]) for column in columns if column.kind not in ("key", "constant")
    }
    fixed = _parts(table, columns, labels)
    fixed += _fixed(columns, {name: codes for name, codes in labels.items() if name not in {f.column for f in fixed}})
    # What two columns say in other words, one of them says.
    told = {(fact.of, fact.column) for fact in fixed}
    place = {column.name: i for i, column in enumerate(columns)}
    second = {b for of, b in told if len(of) == 1 and ((b,), of[0]) in told and place[of[0]] < place[b]}
    measures = _measures(table, columns)
    numbers = Numbers.side_by_side(list(measures), list(measures.values()))
    exact, fixed, derived, unsteady = _worked_out(numbers, fixed)
    taken = {fact.column for fact in fixed}
    numbers = numbers.without(second)
    days = [column for column in columns if column.kind == "datetime"]
    dates = Numbers.side_by_side([c.name for c in days], [c.numbers(table[c.name]) for c in days])
    pairs = _ordered_pairs(numbers)
    spiky = {name for name, values in zip(numbers.names, numbers.values.T, strict=True) if mostly_common(values)}
    close = _differences(pairs, taken | spiky, CLOSE)
    for more in (
        near(numbers, taken, {frozenset(fact.columns) for fact in close}),
        close,
        _differences(_ordered_pairs(dates), taken, np.inf),
        unsteady,
        _same(numbers, taken),
    ):
        derived += without_circles(more, [*exact, *fixed, *derived])
    nulls = {column.name: np.asarray(pc.is_null(plain(table[column.name]))) for column in columns if column.nullable}
    following = [*exact, *fixed, *derived]
    unique = find_unique(columns, labels, following)
    return (*following, *_orders(pairs, following), *_missing(nulls), *unique)


class _WorkedOut(NamedTuple):
    """Arithmetic that holds exactly, but for rounding; `fixed` facts that do not turn it round; sums up to a few
    values; and, to be taken last, what is not steady."""

    exact: list[Fact]
    fixed: list[Fact]
    sums: list[Fact]
    unsteady: list[Fact]


def _worked_out(numbers: Numbers, fixed: Sequence[Fact]) -> _WorkedOut:
    """Arithmetic holds for new values, too, where a lookup knows none; but what another column alone fixes is looked
    up."""
    taken = {fact.column for fact in fixed}
    found = [*sums(numbers, taken), *products(numbers, taken), *weighted_sums(numbers, taken)]
    steady = [each for each in found if each.is_steady or each.is_whole]
    exact = [each.fact for each in steady if each.is_exact]
    within = {name for fact in exact if fact.column in taken for name in fact.columns}
    outer = {fact.column for fact in fixed if len(fact.of) == 1 and not within.issuperset(fact.of)}
    exact = without_circles((fact for fact in exact if fact.column not in outer), [])
    fixed = [fact for fact in fixed if without_circles([fact], exact)]
    other = without_circles((each.fact for each in steady), [*exact, *fixed])
    return _WorkedOut(exact, fixed, other, [each.fact for each in found if each not in steady])


def _measures(table: pa.Table, columns: Sequence[Column]) -> dict[str, np.ndarray]:
    """Numbers that float64 can add and subtract without loss."""
    found = {}
    for column in columns:
        if column.kind == "number" and not pa.types.is_temporal(table.schema.field(column.name).type):
            values = as_float(plain(table[column.name]))
            if not (np.abs(values) > 1e15).any():
                found[column.name] = values
    return found


# Order and equality


class _Pair(NamedTuple):
    """Two columns of which one is never below the other, the 10 to 90 % ranges of both and of their difference, and how
    far apart they are at 90 %."""

    low: str
    high: str
    low_range: float
    high_range: float
    difference_range: float
    distance: float


def _ordered_pairs(numbers: Numbers) -> list[_Pair]:
    """Pairs of columns in order in every row, although chance would have broken that; the closest first.

    What is measured, and not merely true or false, is measured on some of the rows.
    """
    names, values, some = numbers
    scale = len(values) / len(some)
    found = []
    for y, high_name in enumerate(names):
        for x in np.flatnonzero(~(some > some[:, [y]]).any(axis=0)):  # False where one is missing
            known = ~np.isnan(some[:, x] + some[:, y])
            low, high = some[known, x], some[known, y]
            if x == y or not known.any() or _chance_violations(low, high) * scale < LEAST_CHANCES:
                continue
            if not (values[:, x] > values[:, y]).any():
                gap = high - low
                ranges = spread(low), spread(high), spread(gap)
                found.append(_Pair(names[x], high_name, *ranges, float(np.quantile(gap, 0.9))))
    return sorted(found, key=lambda pair: pair.distance / max(pair.low_range, pair.high_range, 1e-300))


def _differences(pairs: Sequence[_Pair], taken: set[str], closest: float) -> list[Fact]:
    """Pairs whose one column is told by the other and a difference of at most `closest` of its own range."""
    found = []
    for pair in pairs:
        above = Fact(kind="at_least", column=pair.high, of=(pair.low,))
        below = Fact(kind="at_most", column=pair.low, of=(pair.high,))
        sides = [(pair.high_range, above), (pair.low_range, below)]
        if pair.low_range > WIDER * pair.high_range:
            sides.reverse()
        for own_range, fact in sides:
            if fact.column not in taken and pair.difference_range <= closest * own_range:
                found.append(fact)
    return found


def _orders(pairs: Sequence[_Pair], others: Sequence[Fact]) -> list[Fact]:
    """Pairs that only keep their order; for each column the closest one below it. Neither follows from others, unless
    the two are often the same; or one of them is only close to what others say, and keeps the closest on either side.
    """
    near = {fact.column for fact in others if fact.is_near}
    busy = {fact.column for fact in others} - near
    same = {frozenset(fact.columns) for fact in others if fact.kind == "same"}
    found: dict[tuple[str, str], Fact] = {}
    for pair in pairs:
        ends = {pair.low, pair.high}
        if frozenset(ends) in same or (not ends & busy and not ends <= near):
            place = (pair.low, "above") if pair.low in near else (pair.high, "below")
            found.setdefault(place, Fact(kind="order", column=pair.high, of=(pair.low,)))
    return list(found.values())


def _chance_violations(low: np.ndarray, high: np.ndarray) -> float:
    """In how many rows `low` would be above `high` if they had nothing to do with each other."""
    return float((np.searchsorted(np.sort(high), low, side="left") / len(high)).sum())


def _same(numbers: Numbers, taken: set[str]) -> list[Fact]:
    """Columns whose uncommon values are often those of another of a wider range; the largest share first."""
    names, values, some = numbers
    found: list[tuple[float, Fact]] = []
    for y, name in enumerate(names):
        if name in taken:
            continue
        uncommon = _is_uncommon(some[:, y])
        if uncommon.sum() < LEAST_CHANCES:
            continue
        shares = (some[uncommon] == some[uncommon][:, [y]]).mean(axis=0)
        shares[y] = 0
        uncommon = _is_uncommon(values[:, y])
        for x in np.argsort(-shares, kind="stable")[:SAME_COLUMNS]:
            is_wider = names[x] not in taken and spread(values[:, y]) > spread(values[:, x])
            if shares[x] < SAME_SHARE or is_wider:
                continue
            equal = values[uncommon, y] == values[uncommon, x]
            often = _most_common(values[uncommon, y] - values[uncommon, x])
            if equal.sum() >= max(LEAST_CHANCES, SAME_SHARE * len(equal), 3 * often):
                found.append((float(equal.mean()), Fact(kind="same", column=name, of=(names[x],))))
    return [fact for _, fact in sorted(found, key=lambda pair: -pair[0])]


def _is_uncommon(values: np.ndarray) -> np.ndarray:
    uncommon: np.ndarray = ~np.isnan(values) & ~np.isin(values, common(values))
    return uncommon


def _most_common(differences: np.ndarray) -> int:
    """How many differences, but for missing ones and zero, are the same at most."""
    counts = np.unique(differences[(differences != 0) & ~np.isnan(differences)], return_counts=True)[1]
    return int(counts.max(initial=0))


# Columns that others fix


def _fixed(columns: Sequence[Column], labels: dict[str, np.ndarray]) -> list[Fact]:
    """Columns that one other column fixes, or two; what follows from two of these facts is not said again."""
    sizes = {name: int(codes.max()) + 1 for name, codes in labels.items()}
    rows = max((len(codes) for codes in labels.values()), default=0)
    kinds = {column.name: column.kind for column in columns}
    left = [name for name, size in sizes.items() if 2 <= size <= (LABELS if kinds[name] == "number" else rows / 2)]
    twins = [(a, b) for a, b in _twins(labels, left) if _is_due(labels[a], labels[b])]
    second = {b for _, b in twins}
    labels = {name: codes for name, codes in labels.items() if name not in second}
    left = [name for name in left if name not in second]
    able = [name for name in left if repeats(labels[name])]  # asked once a column, and not once a pair
    candidates = _likely_fixed(labels)
    in_turn = [
        (a, b)
        for a in able
        for b in candidates[a]
        if a != b and sizes[a] >= sizes[b] and determines(labels[a], labels[b]) and _is_due(labels[a], labels[b])
    ]
    fixes = set(in_turn)
    single = [Fact(kind="fixed", column=b, of=(a,)) for a, b in in_turn if not _by_way(fixes, a, b)]
    single += [Fact(kind="fixed", column=x, of=(y,)) for a, b in twins for x, y in ((b, a), (a, b))]
    if len(left) > PAIR_COLUMNS:
        return single
    fixed = {b for _, b in fixes}
    pairs: dict[str, Fact] = {}
    for one, two in combinations(able, 2):
        open_ = [b for b in labels if b not in fixed | {one, two} | set(pairs) and not {(b, one), (b, two)} & fixes]
        both = labels[one] * sizes[two] + labels[two]
        few = np.unique(both[:LOOK_ROWS], return_inverse=True)[1]
        likely = [b for b in open_ if maps(few, labels[b][:LOOK_ROWS])]
        groups = np.unique(both, return_inverse=True)[1] if likely else few
        for b in likely:
            if determines(groups, labels[b]) and _is_due(groups, labels[b], labels[one], labels[two]):
                pairs[b] = Fact(kind="fixed", column=b, of=(one, two))
    return single + list(pairs.values())


def _twins(labels: dict[str, np.ndarray], left: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of columns of `left` that say the same in other words; of more than two the first with each other."""
    first: dict[bytes, str] = {}
    found = []
    for name in left:
        # Codes are numbered as they appear: those of twins are equal.
        twin = first.setdefault(labels[name].tobytes(), name)
        if twin != name and determines(labels[twin], labels[name]):
            found.append((twin, name))
    return found


def _likely_fixed(labels: dict[str, np.ndarray]) -> dict[str, list[str]]:
    """For each column those that it fixes in the first rows: of many columns most pairs fail there, all at once."""
    names = list(labels)
    if not names:
        return {}
    some = np.column_stack([codes[:FIRST_ROWS] for codes in labels.values()])
    found = {}
    for i, name in enumerate(names):
        _, first, group = np.unique(some[:, i], return_index=True, return_inverse=True)
        fixed = (some == some[first[group]]).all(axis=0)
        found[name] = [names[j] for j in np.flatnonzero(fixed)]
    return found


def _parts(table: pa.Table, columns: Sequence[Column], labels: dict[str, np.ndarray]) -> list[Fact]:
    """Columns that repeat a part of a date: its month, the name of its weekday, whether that is on a weekend."""
    found: dict[str, Fact] = {}
    others = [column.name for column in columns if column.name in labels and column.kind != "datetime"]
    for date in (column for column in columns if column.kind == "datetime"):
        for part in get_args(Part):
            left = labels_as_codes(pa.chunked_array([date.part(table[date.name], part)]))
            for name in others:
                if name not in found and determines(left, labels[name]) and _is_due(left, labels[name]):
                    found[name] = Fact(kind="fixed", column=name, of=(date.name,), part=part)
    return list(found.values())


def _by_way(fixes: set[tuple[str, str]], a: str, b: str) -> bool:
    """Whether a fixes b by way of a third column that does not itself fix a."""
    return any(x == a and y != b and (y, b) in fixes and (y, a) not in fixes for x, y in fixes)


def _is_due(left: np.ndarray, right: np.ndarray, *parts: np.ndarray) -> bool:
    """Whether chance would have broken the mapping from `left` to `right`.

    Within a left value every row after the first may differ in the right one. Where `left` is made of `parts`, chance
    is what each part alone leaves open.
    """
    again = np.ones(len(left), dtype=bool)
    again[np.unique(left, return_index=True)[1]] = False
    for part in parts or (np.zeros(len(left), dtype=np.int64),):
        cells = part * (int(right.max()) + 1) + right
        _, where, counts = np.unique(cells, return_inverse=True, return_counts=True)
        differing = 1 - counts[where] / np.bincount(part)[part]
        if differing[again].sum() < LEAST_CHANCES:
            return False
    return True


# Missing cells


def _missing(nulls: dict[str, np.ndarray]) -> list[Fact]:
    """Columns that are missing wherever another is, beyond chance; of columns missing in the same rows, in a chain."""
    found: list[Fact] = []
    names = list(nulls)
    seen: dict[bytes, str] = {}
    for name in names:
        mask = np.packbits(nulls[name]).tobytes()
        if mask in seen and never_by_chance(nulls[name].sum(), (~nulls[name]).sum(), len(nulls[name])):
            twin = seen[mask]
            found += [Fact(kind="missing", column=name, of=(twin,)), Fact(kind="missing", column=twin, of=(name,))]
        else:
            seen[mask] = name
    alone = list(seen.values())
    for a in alone:
        for b in alone:
            if a != b and not (nulls[a] & ~nulls[b]).any():
                rows, missing = len(nulls[a]), int(nulls[a].sum())
                if never_by_chance(missing, rows - int(nulls[b].sum()), rows):
                    found.append(Fact(kind="missing", column=b, of=(a,)))
    return found
