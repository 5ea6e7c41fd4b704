"""The search for arithmetic facts: numbers that are, or nearly are, sums, weighted sums or products of other numbers.

Which columns a number may be made of is found on covariances (`pursuit.py`), for products on those of logarithms.
Their weights come from least squares; of sums and products they are rounded to whole numbers. What an equation leaves
over is looked at on the values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np

from tabgan.facts import FEW_SHARE, FEW_VALUES, Fact, common, difference, mostly_common, product, remainder
from tabgan.inference import decimals
from tabgan.pursuit import Numbers, clipped, complete, covariance_of, pursue, spread

MOST_TERMS, MOST_FACTORS, MOST_NEAR = 8, 3, 5
"""Columns that a sum, a product, and a weighted sum that is near, is made of, the likeliest first."""
MOST_POWER = 2
"""A factor of a product may come so many times: a body mass index is a weight by a height by that height."""
FEW_LEFT, FEW_LEFT_OF_COMMON = 0.5, 0.1
"""What a sum leaves over, if that is of few values, may say so much of what the column's own values say; the latter
where most of these are common, for then they have codes of their own."""
NEAR = 0.05
"""What is left over may range over so much of the column's own range where it is of many values."""
NEARER = 0.5
"""One more column must take what is left over down to this share of it."""
UNEXPLAINED = (4 * NEAR) ** 2
"""The share of its variance that others leave unexplained, at most, where a column is a product or weighted sum of them
or near one."""
PLAIN_DIGITS, PLAIN_PARTS = 6, 12
"""Digits, and parts of a whole, that are tried for weights and for the number by which a product is multiplied."""
COMMONER = 0.03
"""A column with so much larger a share of common values than another one of its equation is not worked out."""
STARTS = 5
"""Columns with which the search for a product begins: the likeliest one alone may be the wrong one."""
STEPS = 25
"""A number of fewer steps of rounding than this is nothing that rounding changes: too much is one step beside it."""
VALUES_A_WEIGHT = 4
"""A weighted sum has so many different values for each of its weights: any few fit some weights."""
STEADY = 4.0
"""The variances of the terms of an equation together are at most so many times its column's."""
POSITIVE_SHARE = 0.9
"""Of the numbers of a product so large a share is above zero."""
FIT_SHARE = 0.95
"""Weights are those of so large a share of the rows, which fit best: a few may be wrong."""
LEAST_ROWS_A_TERM = 10
"""Rows, beside 20 others, that each term of an equation needs."""
WEIGHTLESS = 1e-4
"""A column that moves a weighted sum by less than this share of its spread is not among its terms."""

_T = TypeVar("_T")
Terms = list[tuple[int, int]]
"""Places of columns, each with its sign in a sum or its power in a product."""


class Found(NamedTuple):
    """A fact and the entropy of what it leaves over.

    `is_exact`: that is what rounding leaves, or nothing. `is_steady`: its terms together, were they drawn apart, would
    move hardly more than its column does; a small difference of large numbers and a quotient of two that go together
    are not steady, for little errors of theirs are large ones of the column; nor is what divides by two columns.
    `is_whole`: it needs no rounding, whatever its terms are.
    """

    fact: Fact
    left: float
    is_exact: bool
    is_steady: bool
    is_whole: bool


def sums(numbers: Numbers, taken: set[str]) -> list[Found]:
    """Columns that are sums and differences of others, exactly or up to a few values; those that are `taken` only
    exactly. First what derives a column of few common values, then what has positive terms, and few."""
    covariance, variances = covariance_of(numbers.some), np.diag(covariance_of(clipped(numbers.some)))
    found: dict[Fact, Found] = {}
    for target in range(len(numbers.names)):
        terms, _ = _least(_whole_terms(numbers.some, numbers.some, covariance, target, _SUM))
        if not terms:
            continue
        equation = [(target, -1), *terms]
        for column, sign in equation:
            others = [(i, -sign * other) for i, other in equation if i != column]
            values, columns = complete(numbers.values, column, [i for i, _ in others])
            rest = _sum_rest(values, columns, [each for _, each in others])
            left = _entropy_if_few(values, rest)
            if left == 0 or (left < np.inf and numbers.names[column] not in taken):
                of, minus = _named(numbers, others)
                fact = Fact(kind="sum", column=numbers.names[column], of=of, minus=minus, remainder=bool(rest.any()))
                steps = _step(values) + sum(map(_step, columns.T))
                is_exact = left == 0 or bool((np.abs(rest) <= 0.51 * steps).mean() >= FEW_SHARE)
                is_whole = _needs_no_rounding(fact, values, columns)
                found.setdefault(fact, Found(fact, left, is_exact, _is_steady(variances, column, others), is_whole))
    is_common = _Commoner(numbers)
    return sorted(found.values(), key=lambda each: (is_common(each.fact), len(each.fact.minus), len(each.fact.of)))


def products(numbers: Numbers, taken: set[str]) -> list[Found]:
    """Columns that are products and quotients of others and a number, but for rounding; of those that are `taken` only
    where that holds in every row."""
    return _by_worth(numbers, _multiplied(numbers, taken, is_near=False))


def weighted_sums(numbers: Numbers, taken: set[str]) -> list[Found]:
    """Columns that are weighted sums of others and a number, but for rounding; of those that are `taken` only where
    that holds in every row."""
    return _by_worth(numbers, _weighted(numbers, taken, is_near=False))


def near(numbers: Numbers, taken: set[str], ordered: Collection[frozenset[str]]) -> list[Fact]:
    """Columns that are close to a weighted sum or to a product of others, and steady; the closest first. Not two that
    are `ordered`, which a difference that is never negative keeps."""
    found = _multiplied(numbers, taken, is_near=True) + _weighted(numbers, taken, is_near=True)
    kept = [each for each in found if each.is_steady and frozenset(each.fact.columns) not in ordered]
    return [each.fact for each in sorted(kept, key=lambda each: each.left)]


def _by_worth(numbers: Numbers, found: Sequence[Found]) -> list[Found]:
    """First those that derive a column of few common values, that take away most to be learned, that divide by few
    columns, with plain numbers, that derive what has many decimals, and of few terms."""
    is_common = _Commoner(numbers)
    entropy, places = {}, {}
    for name in {each.fact.column for each in found}:
        values = numbers.values[:, numbers.names.index(name)]
        entropy[name] = _entropy(np.unique(values[~np.isnan(values)], return_counts=True)[1])
        places[name] = decimals(values)

    def worth(each: Found) -> tuple[float, ...]:
        fact, fine = each.fact, places[each.fact.column]
        digits = sum(_digits(number) for number in (fact.factor, fact.offset, *fact.weights))
        most = -round(entropy[fact.column] - each.left, 1)
        plain = fine is not None, len(fact.minus), digits, -(fine or 0), len(fact.of)
        return is_common(fact), most, *plain

    return sorted(found, key=worth)


def _multiplied(numbers: Numbers, taken: set[str], *, is_near: bool) -> list[Found]:
    """The products, which are found on logarithms, and what each leaves; of those that are near as a share."""
    positive = (numbers.some > 0).sum(axis=0) >= POSITIVE_SHARE * (~np.isnan(numbers.some)).sum(axis=0)
    logs = np.log(numbers.some, out=np.full(numbers.some.shape, np.nan), where=positive & (numbers.some > 0))
    covariance = covariance_of(clipped(logs))
    found: dict[Fact, Found] = {}
    for target, name in enumerate(numbers.names):
        if is_near and name in taken:
            continue
        search = _NEAR_PRODUCT if is_near else _STRICT_PRODUCT if name in taken else _PRODUCT
        candidates = {
            tuple(terms): left
            for terms, left in _whole_terms(numbers.some, logs, covariance, target, search)
            if left < np.inf
        }
        for terms in _nearer(candidates) if is_near else candidates:
            values, columns = complete(numbers.values, target, [i for i, _ in terms])
            powers = [power for _, power in terms]
            if (left := search.left(values, columns, powers)) < np.inf:
                of, minus = _named(numbers, sorted(terms))
                factor = _factor(values, _multiply(columns, powers))
                fact = Fact(kind="product", column=name, of=of, minus=minus, factor=factor, remainder=is_near)
                is_whole = _needs_no_rounding(fact, values, np.repeat(columns, np.abs(powers), axis=1))
                is_steady = len(set(minus)) < 2 and _is_steady(np.diag(covariance), target, terms)
                found[fact] = Found(fact, left, not is_near, is_steady, is_whole)
    return list(found.values())


def _weighted(numbers: Numbers, taken: set[str], *, is_near: bool) -> list[Found]:
    """The weighted sums, and what each leaves; of those that are near as a share."""
    without_ends = covariance_of(clipped(numbers.some))
    covariance = without_ends if is_near else covariance_of(numbers.some)
    found = []
    for target, name in enumerate(numbers.names):
        if is_near and name in taken:
            continue
        candidates: dict[tuple[int, ...], float] = {}
        for picked in pursue(covariance, target, MOST_NEAR if is_near else MOST_TERMS, UNEXPLAINED):
            equation, left = _equation(numbers.some, target, picked, is_near=is_near)
            if left < np.inf:
                used = tuple(sorted(i for i, weight in zip(picked, equation.weights, strict=True) if weight))
                candidates[used] = left
        for used in _nearer(candidates) if is_near else _smallest(candidates):
            equation, left = _equation(numbers.values, target, list(used), is_near=is_near, is_strict=name in taken)
            if left == np.inf or not all(equation.weights):
                continue
            terms = sorted(zip(used, equation.weights, strict=True), key=lambda term: (-term[1], term[0]))
            values, columns = complete(numbers.values, target, [i for i, _ in terms])
            of, weights = tuple(numbers.names[i] for i, _ in terms), tuple(weight for _, weight in terms)
            fact = Fact(kind="linear", column=name, of=of, weights=weights, offset=equation.offset, remainder=is_near)
            is_whole = _needs_no_rounding(fact, values, columns)
            is_steady = _is_steady(np.diag(without_ends), target, terms)
            found.append(Found(fact, left, not is_near, is_steady, is_whole))
    return found


class _Commoner:
    """Whether common values are more of a fact's column than of another one of it: worked out, as a round amount from
    amounts to the cent, it would lose how often each of them comes."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.shares: dict[str, float] = {}

    def __call__(self, fact: Fact) -> bool:
        return self._share(fact.column) > min(map(self._share, fact.columns)) + COMMONER

    def _share(self, name: str) -> float:
        if name not in self.shares:
            values = self.numbers.values[:, self.numbers.names.index(name)]
            self.shares[name] = float(np.isin(values, common(values)).mean())
        return self.shares[name]


def _is_steady(variances: np.ndarray, target: int, terms: Sequence[tuple[int, float]]) -> bool:
    """Whether an equation is steady, by the variances of all columns, or of their logarithms."""
    return bool(sum(weight**2 * variances[i] for i, weight in terms) <= STEADY * variances[target])


# Weighted sums


class _Equation(NamedTuple):
    weights: list[float]
    offset: float

    def of(self, columns: np.ndarray) -> np.ndarray:
        """What it says of the target, of the other `(rows, columns)`."""
        return np.asarray(self.offset + columns @ np.array(self.weights))


def _equation(
    values: np.ndarray, target: int, picked: list[int], *, is_near: bool, is_strict: bool = False
) -> tuple[_Equation, float]:
    """The weights of `picked` columns, with few digits where these do, and what they leave of column `target`."""
    own, columns = complete(values, target, picked)
    if len(own) < LEAST_ROWS_A_TERM * len(picked) + 20:
        return _Equation([0.0] * len(picked), 0.0), np.inf
    fitted = _fitted(own, columns)
    least = spread(own - fitted.of(columns))
    if least > NEAR * spread(own) or (is_near and mostly_common(own)):
        return fitted, np.inf
    if is_near:
        for plain in (*_plain(fitted), fitted):
            if spread(own - plain.of(columns)) <= (1 + NEAR) * least:
                return plain, _share_if_near(own, own - plain.of(columns))
    places = decimals(own)
    plain = min((*_plain(fitted), fitted), key=lambda each: _missed(difference(own, each.of(columns), places)))
    return plain, _weighted_left(own, columns, plain, 1.0 if is_strict else FEW_SHARE)


def _fitted(values: np.ndarray, columns: np.ndarray) -> _Equation:
    """Least squares, a second time for the rows alone that fit best; columns that hardly count have no weight."""
    weights, offset = np.zeros(columns.shape[1]), 0.0
    kept, used = np.ones(len(values), dtype=bool), np.ones(columns.shape[1], dtype=bool)
    for _ in range(2):
        y, x = values[kept], columns[np.ix_(kept, used)]
        weights[:] = 0.0
        weights[used] = _least_squares(x, y)
        offset = float(y.mean() - weights[used] @ x.mean(axis=0))
        rest = np.abs(values - offset - columns @ weights)
        kept = rest <= np.quantile(rest, FIT_SHARE)
        used = np.abs(weights) * columns.std(axis=0) > WEIGHTLESS * values.std()
    weights[~used] = 0.0
    return _Equation(weights.tolist(), offset)


def _least_squares(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The weights of `(rows, columns)` in `(rows,)`, beside an offset."""
    x, y = columns - columns.mean(axis=0), values - values.mean()
    norm = np.maximum(np.sqrt((x**2).mean(axis=0)), 1e-300)
    x = x / norm
    return np.asarray(np.linalg.lstsq(x.T @ x, x.T @ y, rcond=1e-14)[0] / norm)


def _plain(equation: _Equation) -> Iterator[_Equation]:
    """The equation with few digits, then with more, and with parts of a whole as weights; each without and with an
    offset."""
    for digits in range(1, PLAIN_DIGITS + 1):
        weights = [_of_digits(weight, digits) for weight in equation.weights]
        yield _Equation(weights, 0.0)
        yield _Equation(weights, _of_digits(equation.offset, digits))
    parts = [float(Fraction(weight).limit_denominator(PLAIN_PARTS)) for weight in equation.weights]
    yield _Equation(parts, 0.0)
    yield _Equation(parts, _of_digits(equation.offset, PLAIN_DIGITS))


# What equations leave


def _few_left(values: np.ndarray, columns: np.ndarray, signs: Sequence[int]) -> float:
    return _entropy_if_few(values, _sum_rest(values, columns, signs))


def _sum_rest(values: np.ndarray, columns: np.ndarray, signs: Sequence[int]) -> np.ndarray:
    return remainder(values, list(zip(signs, columns.T, strict=True)))


def _weighted_left(values: np.ndarray, columns: np.ndarray, equation: _Equation, least_share: float) -> float:
    if len(np.unique(values)) < VALUES_A_WEIGHT * (columns.shape[1] + 1):
        return np.inf
    by_terms = sum(abs(weight) * _step(column) / 2 for weight, column in zip(equation.weights, columns.T, strict=True))
    return _rounding_left(values, equation.of(columns), _step(values) + by_terms, least_share)


def _product_left(
    values: np.ndarray, columns: np.ndarray, powers: Sequence[int], least_share: float = FEW_SHARE
) -> float:
    multiplied = _multiply(columns, powers)
    return _rounding_left(values, _factor(values, multiplied) * multiplied, _step(values), least_share)


def _near_product_left(values: np.ndarray, columns: np.ndarray, powers: Sequence[int]) -> float:
    multiplied = _multiply(columns, powers)
    return _share_if_near(values, values - _factor(values, multiplied) * multiplied)


def _rounding_left(values: np.ndarray, base: np.ndarray, most: float, least_share: float) -> float:
    """The entropy of what `base` leaves of `values` if that is rounding: `most`, at most, in `least_share` of rows."""
    rest = difference(values, base, decimals(values))
    is_fine = not rest.any() or spread(values) >= STEPS * most
    return _entropy_if_few(values, rest) if is_fine and (np.abs(rest) <= 1.01 * most).mean() >= least_share else np.inf


def _needs_no_rounding(fact: Fact, values: np.ndarray, columns: np.ndarray) -> bool:
    """Whether `fact` gives no more decimals than `values` have, whatever its terms are of the decimals of `columns`, a
    column each."""
    own, places = decimals(values), [decimals(column) for column in columns.T]
    weights = [decimals(np.array([number])) for number in fact.weights or [1.0] * len(places)]
    factor, offset = (decimals(np.array([number])) for number in (fact.factor, fact.offset))
    if own is None or factor is None or offset is None or (fact.kind == "product" and fact.minus):
        return False
    needed = [x + y for x, y in zip(places, weights, strict=True) if x is not None and y is not None]
    if len(needed) < len(places):
        return False
    return (sum(needed) + factor if fact.kind == "product" else max(offset, *needed)) <= own


def _step(values: np.ndarray) -> float:
    """From one rounded value to the next; 0 where values are not rounded."""
    places = decimals(values)
    return 0.0 if places is None else 10.0**-places


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
    plain = [_of_digits(ratio, digits) for digits in range(1, PLAIN_DIGITS + 1)]
    places = decimals(values)
    return min([*plain, ratio], key=lambda factor: _missed(difference(values, factor * multiplied, places)))


def _missed(rest: np.ndarray) -> tuple[float, float]:
    """How often something is left, and how much."""
    return float((rest != 0).mean()), float(np.median(np.abs(rest)))


def _of_digits(number: float, digits: int) -> float:
    return float(f"{number:.{digits}g}")


def _digits(number: float) -> int:
    """How many digits a number has; none if it is 1 or 0."""
    return 0 if number in (0, 1) else len(f"{abs(number):.15e}".partition("e")[0].replace(".", "").rstrip("0"))


def _entropy(counts: np.ndarray) -> float:
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


# Whole weights


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
_NEAR_PRODUCT = _Search(_near_product_left, MOST_FACTORS, MOST_POWER, UNEXPLAINED, STARTS)


def _whole_terms(
    some: np.ndarray, space: np.ndarray, covariance: np.ndarray, target: int, search: _Search
) -> Iterator[tuple[Terms, float]]:
    """Terms that column `target` may be made of, as the pursuit comes to them, and what they leave of it in `some`
    rows. `space`: these rows, or their logarithms, whose `covariance` it is."""
    for picked in pursue(covariance, target, search.most, search.unexplained, search.starts):
        terms = _rounded_to_whole(space, target, picked, search.largest)
        values, columns = complete(some, target, [i for i, _ in terms])
        if terms and len(values):
            yield terms, search.left(values, columns, [weight for _, weight in terms])


def _rounded_to_whole(space: np.ndarray, target: int, picked: list[int], largest: int) -> Terms:
    """The least squares weights of `picked` columns, rounded; empty where they are not nearly whole."""
    own, columns = complete(space, target, picked)
    if len(own) < LEAST_ROWS_A_TERM * len(picked) + 20:
        return []
    weights = _least_squares(columns, own)
    whole = np.rint(weights)
    if (np.abs(whole) > largest).any() or (np.abs(weights - whole) > 0.3).any():
        return []
    return [(i, int(weight)) for i, weight in zip(picked, whole, strict=True) if weight]


def _least(found: Iterable[tuple[Terms, float]]) -> tuple[Terms, float]:
    """Those that leave least; empty if all leave too much."""
    best: Terms = []
    least = np.inf
    for terms, left in found:
        if left < least:
            best, least = terms, left
        if least == 0:
            break
    return best, least


def _nearer(found: dict[tuple[_T, ...], float]) -> list[tuple[_T, ...]]:
    """Those of more terms only if they take what is left down to `NEARER` of what fewer leave."""
    least = {len(terms): min(found[each] for each in found if len(each) == len(terms)) for terms in found}
    return [
        terms
        for terms, left in found.items()
        if left < NEARER * min((least[count] for count in least if count < len(terms)), default=np.inf)
    ]


def _smallest(found: dict[tuple[int, ...], float]) -> list[tuple[int, ...]]:
    """Those of which some alone leave more."""
    return [
        terms
        for terms, left in found.items()
        if not any(set(other) < set(terms) and found[other] <= left for other in found)
    ]


def _named(numbers: Numbers, terms: Sequence[tuple[int, int]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of positive and of negative terms, each as often as its power says."""
    of = [numbers.names[i] for i, power in terms for _ in range(power)]
    minus = [numbers.names[i] for i, power in terms for _ in range(-power)]
    return tuple(of), tuple(minus)
