"""The search for arithmetic facts: numbers that are, or nearly are, a sum or a product of other numbers.

Sums are looked for on covariances by orthogonal matching pursuit (Pati et al. 1993), products in the same way on those
of logarithms; weights are rounded to whole numbers, and what they leave over is looked at on the values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from tabgan.facts import FEW_SHARE, FEW_VALUES, Fact, common, difference, mostly_common, product, remainder
from tabgan.inference import decimals

LOOK_ROWS = 1_500
"""Rows on which most candidates already fail; what holds there is checked on all rows."""
MOST_TERMS, MOST_FACTORS = 8, 3
"""Columns that a sum, and a product, is looked for among, the likeliest first."""
MOST_POWER = 2
"""A factor of a product may come so many times: a body mass index is a weight by a height by that height."""
WEAK_SHARE = 0.05
"""Terms that move a sum by less than this share of its spread may stand for what it leaves: it is tried without."""
FEW_LEFT, FEW_LEFT_OF_COMMON = 0.5, 0.1
"""What a sum leaves over, if that is of few values, may say so much of what the column's own values say; the latter
where most of these are common, for then they have codes of their own."""
NEAR = 0.05
"""What is left over may range over so much of the column's own range where it is of many values."""
NEARER = 0.5
"""One more column must take what is left over down to this share of it."""
UNEXPLAINED = (4 * NEAR) ** 2
"""The share of its variance that others leave unexplained, at most, where a column is near a sum or product of them."""
PLAIN_DIGITS = 6
"""Digits that are tried for the number by which a product is multiplied."""
COMMONER = 0.03
"""A column with so much larger a share of common values than another one of its equation is not worked out."""
STARTS = 5
"""Columns with which the search for a product begins: the likeliest one alone may be the wrong one."""
STEPS = 25
"""A number of fewer steps of rounding than this is no product that rounding changes: too much is one step beside it."""
POSITIVE_SHARE = 0.9
"""Of the numbers of a product so large a share is above zero."""

Terms = list[tuple[int, int]]
"""Places of columns, each with its sign in a sum or its power in a product."""


class Numbers(NamedTuple):
    """Numbers side by side: names, `(rows, columns)` float64, and some of these rows, evenly spread."""

    names: list[str]
    values: np.ndarray
    some: np.ndarray

    @classmethod
    def side_by_side(cls, numbers: dict[str, np.ndarray]) -> Numbers:
        values = np.asfortranarray(np.column_stack(list(numbers.values()))) if numbers else np.zeros((1, 0))
        return cls(list(numbers), values, values[:: -(-len(values) // LOOK_ROWS)])

    def named(self, terms: Terms) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of positive and of negative terms, each as often as its power says."""
        of = [self.names[i] for i, power in terms for _ in range(power)]
        minus = [self.names[i] for i, power in terms for _ in range(-power)]
        return tuple(of), tuple(minus)


def sums(numbers: Numbers, taken: set[str]) -> dict[Fact, float]:
    """Columns that are sums and differences of others, and the entropy of the few values that each leaves over; of
    those that are `taken` only what leaves none. Of an equation that can be read in several ways first what derives a
    column of few common values, as an amount to the cent from a round one, then what has positive terms, and few."""
    covariance = _covariance(numbers.some)
    found: dict[Fact, float] = {}
    worth: dict[Fact, tuple[bool, int, int]] = {}
    for target in range(len(numbers.names)):
        terms, _ = _least(_pursue(numbers.some, numbers.some, covariance, target, _SUM))
        if not terms:
            continue
        equation = [(target, -1), *terms]
        shares = {i: float(np.isin(numbers.values[:, i], common(numbers.values[:, i])).mean()) for i, _ in equation}
        for column, sign in equation:
            others = [(i, -sign * other) for i, other in equation if i != column]
            values, columns = _complete(numbers.values, column, others)
            signs = [each for _, each in others]
            left = _few_left(values, columns, signs)
            if left == 0 or (left < np.inf and numbers.names[column] not in taken):
                of, minus = numbers.named(others)
                has_rest = bool(_sum_rest(values, columns, signs).any())
                fact = Fact(kind="sum", column=numbers.names[column], of=of, minus=minus, remainder=has_rest)
                is_common = shares[column] > min(shares.values()) + COMMONER
                found.setdefault(fact, left)
                worth.setdefault(fact, (is_common, len(minus), len(of)))
    return {fact: found[fact] for fact in sorted(found, key=lambda fact: worth[fact])}


def products(numbers: Numbers, taken: set[str]) -> list[Fact]:
    """Columns that are products and quotients of others and a number, but for rounding; of those that are `taken` only
    where that holds in every row. First those that take away most to be learned, that divide by few columns, with plain
    numbers, that derive what has many decimals, and of few factors."""
    found = _multiplied(numbers, taken, is_near=False)
    entropy, places = {}, {}
    for name in {fact.column for fact in found}:
        values = numbers.values[:, numbers.names.index(name)]
        entropy[name] = _entropy(np.unique(values[~np.isnan(values)], return_counts=True)[1])
        places[name] = decimals(values)

    def worth(fact: Fact) -> tuple[float, ...]:
        most, fine = -round(entropy[fact.column] - found[fact], 1), places[fact.column]
        return most, fine is not None, len(fact.minus), _digits(fact.factor), -(fine or 0), len(fact.of)

    return sorted(found, key=worth)


def near(numbers: Numbers, taken: set[str], ordered: Collection[frozenset[str]]) -> list[Fact]:
    """Columns that are close to a sum or to a product of others; the closest first. Not two that are `ordered`, which
    a difference that is never negative keeps."""
    covariance = _covariance(_clipped(numbers.some))
    found = _multiplied(numbers, taken, is_near=True)
    for target, name in enumerate(numbers.names):
        terms, left = _least(_pursue(numbers.some, numbers.some, covariance, target, _NEAR_SUM), NEARER)
        if terms and name not in taken:
            of, minus = numbers.named(terms)
            found[Fact(kind="near", column=name, of=of, minus=minus)] = left
    return sorted((fact for fact in found if frozenset(fact.columns) not in ordered), key=lambda fact: found[fact])


def _multiplied(numbers: Numbers, taken: set[str], *, is_near: bool) -> dict[Fact, float]:
    """The products that are found on logarithms, and what each leaves."""
    positive = (numbers.some > 0).sum(axis=0) >= POSITIVE_SHARE * (~np.isnan(numbers.some)).sum(axis=0)
    logs = np.log(numbers.some, out=np.full(numbers.some.shape, np.nan), where=positive & (numbers.some > 0))
    covariance = _covariance(_clipped(logs))
    found = {}
    for target, name in enumerate(numbers.names):
        if is_near and name in taken:
            continue
        search = _NEAR_PRODUCT if is_near else _STRICT_PRODUCT if name in taken else _PRODUCT
        candidates = list(_pursue(numbers.some, logs, covariance, target, search))
        for terms, left in [_least(candidates, NEARER)] if is_near else candidates:
            values, columns = _complete(numbers.values, target, terms)
            powers = [power for _, power in terms]
            if left < np.inf and (left := search.left(values, columns, powers)) < np.inf:
                of, minus = numbers.named(sorted(terms))
                factor = _factor(values, _multiply(columns, powers))
                fact = Fact(kind="product", column=name, of=of, minus=minus, factor=factor, remainder=is_near)
                found[fact] = left
    return found


# What whole weights leave


def _few_left(values: np.ndarray, columns: np.ndarray, signs: Sequence[int]) -> float:
    return _entropy_if_few(values, _sum_rest(values, columns, signs))


def _sum_rest(values: np.ndarray, columns: np.ndarray, signs: Sequence[int]) -> np.ndarray:
    return remainder(values, list(zip(signs, columns.T, strict=True)))


def _near_sum_left(values: np.ndarray, columns: np.ndarray, signs: Sequence[int]) -> float:
    return _share_if_near(values, values - columns @ np.array(signs))


def _product_left(
    values: np.ndarray, columns: np.ndarray, powers: Sequence[int], least_share: float = FEW_SHARE
) -> float:
    multiplied, places = _multiply(columns, powers), decimals(values)
    rest = difference(values, _factor(values, multiplied) * multiplied, places)
    step = 0.0 if places is None else 1.01 * 10.0**-places  # one step of rounding up or down
    is_fine = not rest.any() or spread(values) >= STEPS * step
    return _entropy_if_few(values, rest) if is_fine and (np.abs(rest) <= step).mean() >= least_share else np.inf


def _near_product_left(values: np.ndarray, columns: np.ndarray, powers: Sequence[int]) -> float:
    multiplied = _multiply(columns, powers)
    return _share_if_near(values, values - _factor(values, multiplied) * multiplied)


def _entropy_if_few(values: np.ndarray, rest: np.ndarray) -> float:
    """The entropy of `rest` if it is of few values and says little beside what `values` say; infinite otherwise."""
    if len(rest) < 2 or len(np.unique(values)) < 3:
        return np.inf
    counts = np.sort(np.unique(rest, return_counts=True)[1])[::-1]
    if counts[:FEW_VALUES].sum() < FEW_SHARE * len(rest):
        return np.inf
    entropy = _entropy(counts)
    most = FEW_LEFT_OF_COMMON if mostly_common(values) else FEW_LEFT
    return entropy if entropy <= most * _entropy(np.unique(values, return_counts=True)[1]) else np.inf


def _share_if_near(values: np.ndarray, rest: np.ndarray) -> float:
    """The range of `rest` as a share of that of `values`; infinite if it is not small, or most values are common."""
    if mostly_common(values) or not spread(values) > 0:
        return np.inf
    share = spread(rest) / spread(values)
    return share if share <= NEAR else np.inf


def _multiply(columns: np.ndarray, powers: Sequence[int]) -> np.ndarray:
    return product(1.0, list(zip(powers, columns.T, strict=True)))


def _factor(values: np.ndarray, multiplied: np.ndarray) -> float:
    """The number by which a product is to be multiplied: of few digits, if such a one leaves least."""
    usable = np.isfinite(multiplied) & (multiplied != 0) & (values != 0)
    ratio = float(np.median(values[usable] / multiplied[usable])) if usable.any() else 1.0
    plain = [float(f"{ratio:.{digits}g}") for digits in range(1, PLAIN_DIGITS + 1)]
    places = decimals(values)

    def left(factor: float) -> tuple[float, float]:
        rest = difference(values, factor * multiplied, places)
        return float((rest != 0).mean()), float(np.median(np.abs(rest)))

    return min([*plain, ratio], key=left)


def _digits(number: float) -> int:
    """How many digits a number has; none if it is 1."""
    return 0 if number == 1 else len(f"{number:.15e}".partition("e")[0].replace(".", "").rstrip("0"))


def _entropy(counts: np.ndarray) -> float:
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


# Pursuit


class _Search(NamedTuple):
    """`left`: what whole weights, of at most `largest`, of `(rows, terms)` columns leave of `(rows,)` values; the less,
    the better. Of at most `most` columns; the pursuit begins with each of the `starts` likeliest. What leaves more than
    `unexplained` of the variance is not looked at."""

    left: Callable[[np.ndarray, np.ndarray, Sequence[int]], float]
    most: int
    largest: int
    unexplained: float
    starts: int


_SUM = _Search(_few_left, MOST_TERMS, 1, np.inf, 1)
_PRODUCT = _Search(_product_left, MOST_FACTORS, MOST_POWER, UNEXPLAINED, STARTS)
_STRICT_PRODUCT = _PRODUCT._replace(left=partial(_product_left, least_share=1.0))
_NEAR_SUM = _Search(_near_sum_left, MOST_TERMS, 1, UNEXPLAINED, 1)
_NEAR_PRODUCT = _Search(_near_product_left, MOST_FACTORS, MOST_POWER, UNEXPLAINED, STARTS)


def _pursue(
    some: np.ndarray, space: np.ndarray, covariance: np.ndarray, target: int, search: _Search
) -> Iterator[tuple[Terms, float]]:
    """Terms that column `target` may be made of, as the pursuit comes to them, and what they leave of it in `some`
    rows. `space`: these rows, or their logarithms, whose `covariance` it is."""
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    usable = np.diag(covariance) > 0
    if not usable[target]:
        return
    usable[target] = False
    strength = np.where(usable, np.abs(covariance[target]) / scale, -1)
    for first in np.argsort(-strength)[: min(search.starts, int(usable.sum()))]:
        for picked in _path(covariance, target, scale, usable, int(first), search):
            terms = _whole_terms(space, target, picked, search.largest)
            values, columns = _complete(some, target, terms)
            if terms and len(values):
                yield terms, search.left(values, columns, [weight for _, weight in terms])


def _least(found: Iterable[tuple[Terms, float]], nearer: float = 1.0) -> tuple[Terms, float]:
    """Those that leave least, each in turn taken only if it takes what is left down to `nearer` of what it was; empty
    if all leave too much."""
    best: Terms = []
    least = np.inf
    for terms, left in found:
        if left < (nearer * least if best else np.inf):
            best, least = terms, left
        if least == 0:
            break
    return best, least


def _path(
    covariance: np.ndarray, target: int, scale: np.ndarray, usable: np.ndarray, first: int, search: _Search
) -> Iterator[list[int]]:
    """The columns that the pursuit has picked after each step, all and those that are strong."""
    chosen: list[int] = []
    left = covariance[target].copy()
    for _ in range(min(search.most, int(usable.sum()))):
        strength = np.where(usable, np.abs(left) / scale, -1)
        strength[chosen] = -1
        chosen.append(int(strength.argmax()) if chosen else first)
        weights = np.linalg.lstsq(covariance[np.ix_(chosen, chosen)], covariance[chosen, target], rcond=1e-10)[0]
        left = covariance[target] - weights @ covariance[chosen]
        if left[target] > search.unexplained * covariance[target, target]:
            continue
        strong = [i for i, w in zip(chosen, weights, strict=True) if abs(w) * scale[i] > WEAK_SHARE * scale[target]]
        yield list(chosen)
        if 0 < len(strong) < len(chosen):
            yield strong


def _whole_terms(space: np.ndarray, target: int, chosen: Sequence[int], largest: int) -> Terms:
    """The least squares weights of `chosen` columns, rounded; empty where they are not nearly whole."""
    rows = space[:, [target, *chosen]]
    rows = rows[~np.isnan(rows).any(axis=1)]
    if len(rows) < 10 * len(chosen) + 20:
        return []
    y, x = rows[:, 0] - rows[:, 0].mean(), rows[:, 1:] - rows[:, 1:].mean(axis=0)
    norm = np.maximum(np.sqrt((x**2).mean(axis=0)), 1e-300)
    weights = np.linalg.lstsq(x / norm, y, rcond=1e-9)[0] / norm
    whole = np.rint(weights)
    if (np.abs(whole) > largest).any() or (np.abs(weights - whole) > 0.3).any():
        return []
    return [(i, int(weight)) for i, weight in zip(chosen, whole, strict=True) if weight]


def _complete(values: np.ndarray, target: int, terms: Terms) -> tuple[np.ndarray, np.ndarray]:
    """The target's values and the terms' columns, of the rows that hold all of them."""
    rows = values[:, [target, *(i for i, _ in terms)]]
    rows = rows[~np.isnan(rows).any(axis=1)]
    return rows[:, 0], rows[:, 1:]


def _clipped(values: np.ndarray) -> np.ndarray:
    """Without what reaches far out, of which a few rows would hide what holds in all others."""
    held = ~np.isnan(values).all(axis=0)
    clipped = values.copy()
    if held.any():
        clipped[:, held] = np.clip(values[:, held], *np.nanquantile(values[:, held], [0.005, 0.995], axis=0))
    return clipped


def _covariance(values: np.ndarray) -> np.ndarray:
    """`(columns, columns)`, each pair over the rows that hold both."""
    known = ~np.isnan(values)
    mean = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, values - mean, 0)
    both = known.T.astype(float) @ known.astype(float)
    covariance: np.ndarray = centred.T @ centred / np.maximum(both, 1)
    return covariance


def spread(values: np.ndarray) -> float:
    """How far apart the 10 and the 90 % quantiles are."""
    low, high = np.nanquantile(values, [0.1, 0.9])
    return float(high - low)
