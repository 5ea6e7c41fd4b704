"""Writes reviews.csv: 8,000 product reviews drawn from a process whose every constant is known.

The tables of shares below (`..._given_...`) are both what the rows are drawn from and the truth that tests compare
with. README.md beside this file tells the process in words. To write the file: `python sample_data/make_reviews.py`.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

SEED = 20240229
ROWS = 8_000
REVIEWS = Path(__file__).with_name("reviews.csv")
RATINGS = (1, 2, 3, 4, 5)


class Category(NamedTuple):
    products: int
    price_median: float
    """Median of the list prices, which are lognormal."""
    price_sigma: float
    """Standard deviation of the natural logarithm of the list prices."""


CATEGORIES = {
    "Beauty": Category(products=25, price_median=16.0, price_sigma=0.45),
    "Books": Category(products=60, price_median=14.0, price_sigma=0.35),
    "Clothing": Category(products=45, price_median=29.0, price_sigma=0.50),
    "Electronics": Category(products=50, price_median=79.0, price_sigma=0.80),
    "Garden": Category(products=20, price_median=45.0, price_sigma=0.70),
    "Home": Category(products=45, price_median=35.0, price_sigma=0.70),
    "Sports": Category(products=25, price_median=38.0, price_sigma=0.60),
    "Toys": Category(products=30, price_median=22.0, price_sigma=0.50),
}


class Cluster(NamedTuple):
    share: float
    strictness: float
    """Added to every cut of the rating scale: above zero means worse ratings for the same product."""
    discount_share: float
    category_shares: tuple[float, ...]
    """In the order of CATEGORIES."""


CLUSTERS = {
    #                                                   Beauty Books Cloth. Elec. Garden Home Sports Toys
    "bargain": Cluster(0.38, 0.1, 0.45, category_shares=(0.21, 0.07, 0.33, 0.09, 0.04, 0.17, 0.04, 0.05)),
    "enthusiast": Cluster(0.27, 1.0, 0.10, category_shares=(0.03, 0.24, 0.04, 0.41, 0.06, 0.03, 0.18, 0.01)),
    "family": Cluster(0.35, -0.8, 0.25, category_shares=(0.06, 0.19, 0.12, 0.06, 0.11, 0.20, 0.04, 0.22)),
}

PRODUCT_IDS = (1000, 10_000)  # four digits, dealt out at random: their size means nothing
ZIPF_EXPONENT = 1.05
QUALITY_SIGMA = 0.8
RATING_CUTS = (-3.1, -2.2, -1.15, 0.35)  # P(rating <= k) = logistic(cut k + strictness - quality)

PRICE_POINTS = (4.99, 9.99, 14.99, 19.99, 24.99, 29.99, 39.99, 49.99, 59.99, 79.99, 99.99, 149.99, 199.99, 299.99)
PRICE_POINT_PRODUCTS = 0.6  # share of the products that are sold at one of them
DISCOUNTS = (0.10, 0.20, 0.30)  # equally likely
MARKETPLACE_SIGMA = 0.08  # of the logarithm of a price around the list price, for the other products

UNVERIFIED_GIVEN_RATING = {1: 0.32, 2: 0.16, 3: 0.10, 4: 0.10, 5: 0.19}
VOTED_GIVEN_RATING = {1: 0.55, 2: 0.42, 3: 0.32, 4: 0.20, 5: 0.16}  # P(at least one vote | rating, verified)
UNVERIFIED_VOTED_FACTOR = 1.5  # times that, when not verified
VOTES_EXPONENT = 1.4  # P(votes >= k | at least one) = k ** -VOTES_EXPONENT

FIRST_DAY, LAST_DAY = "2023-01-01", "2024-12-31"
SECOND_YEAR_FACTOR = 1.25
WEEKDAY_WEIGHTS = (1.1, 1.0, 0.9, 0.9, 0.8, 1.3, 1.6)  # Monday to Sunday
MONTH_WEIGHTS = (1.3, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.9, 1.0, 1.4, 1.7)  # January to December
SEASON_FACTORS = {"Garden": {4: 2.5, 5: 3.0, 6: 2.5, 11: 0.4, 12: 0.3, 1: 0.3}, "Toys": {11: 1.6, 12: 2.5}}  # by month

REGION_SHARES = {"North": 0.28, "South": 0.24, "East": 0.18, "West": 0.16, "Midlands": 0.12, "Islands": 0.02}
REGION_MISSING_GIVEN_VERIFIED = {True: 0.03, False: 0.35}


def make_products() -> pd.DataFrame:
    """The catalogue: 300 rows indexed by product_id, with category, popularity (its share of its category's reviews),
    quality (on the logistic scale), list_price, and fixed_price (whether it is sold at a shared price point)."""
    rng = np.random.default_rng([SEED, 0])
    category = np.repeat(list(CATEGORIES), [c.products for c in CATEGORIES.values()])
    popularity = np.concatenate([np.arange(1, c.products + 1) ** -ZIPF_EXPONENT for c in CATEGORIES.values()])
    median = np.array([CATEGORIES[name].price_median for name in category])
    sigma = np.array([CATEGORIES[name].price_sigma for name in category])
    products = pd.DataFrame({"category": category, "popularity": popularity})
    products["popularity"] /= products.groupby("category")["popularity"].transform("sum")
    products["quality"] = QUALITY_SIGMA * rng.standard_normal(len(products))
    list_price = np.round(median * np.exp(sigma * rng.standard_normal(len(products))), 2)
    nearest_point = np.array(PRICE_POINTS)[np.abs(np.log(list_price[:, None] / PRICE_POINTS)).argmin(axis=1)]
    products["fixed_price"] = rng.permutation(len(products)) < PRICE_POINT_PRODUCTS * len(products)
    products["list_price"] = np.where(products["fixed_price"], nearest_point, list_price)
    ids = rng.permutation(np.arange(*PRODUCT_IDS))[: len(products)]
    return products.set_index(pd.Index(ids, name="product_id"))


def category_given_cluster() -> pd.DataFrame:
    """P(category | cluster): one row a cluster, one column a category."""
    return pd.DataFrame({name: c.category_shares for name, c in CLUSTERS.items()}, index=list(CATEGORIES)).T


def product_given_category(products: pd.DataFrame) -> pd.DataFrame:
    """P(product | category): one row a category, one column a product, zero where the category is another."""
    belongs = products["category"].to_numpy() == np.array(list(CATEGORIES))[:, None]
    return pd.DataFrame(belongs * products["popularity"].to_numpy(), index=list(CATEGORIES), columns=products.index)


def rating_given_strictness(strictness: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """P(rating | strictness, quality), an ordered logit. Two arrays `(rows,)` give `(rows, 5)`."""
    at_most = 1 / (1 + np.exp(-(np.array(RATING_CUTS) + (strictness - quality)[:, None])))
    return np.diff(at_most, prepend=0, append=1)


def rating_given_cluster(products: pd.DataFrame) -> pd.DataFrame:
    """P(rating | cluster), summed over the products it reviews: one row a cluster, one column a rating."""
    product_given_cluster = category_given_cluster() @ product_given_category(products)
    quality = products["quality"].to_numpy()
    table = {}
    for name, cluster in CLUSTERS.items():
        given_product = rating_given_strictness(np.full_like(quality, cluster.strictness), quality)
        table[name] = product_given_cluster.loc[name].to_numpy() @ given_product
    return pd.DataFrame(table, index=list(RATINGS)).T


def day_given_category() -> pd.DataFrame:
    """P(review date | category): one row a category, one column a day."""
    days = pd.date_range(FIRST_DAY, LAST_DAY)
    weights = np.array(WEEKDAY_WEIGHTS)[days.day_of_week] * np.array(MONTH_WEIGHTS)[days.month - 1]
    weights = weights * np.where(days.year > days.year[0], SECOND_YEAR_FACTOR, 1.0)
    table = {}
    for name in CATEGORIES:
        season = np.array([SEASON_FACTORS.get(name, {}).get(month, 1.0) for month in days.month])
        table[name] = weights * season / (weights * season).sum()
    return pd.DataFrame(table, index=days).T


def draw(shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One draw a row: shares `(rows, k)` that sum to one, to indices `(rows,)` in `[0, k)`."""
    cumulative = shares.cumsum(axis=1)
    at_most = cumulative / cumulative[:, -1:]  # reaches exactly one, so that a share of zero at the end is never drawn
    return np.sum(at_most <= rng.random((len(shares), 1)), axis=1)


def draw_rows(table: pd.DataFrame, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One label of the table's columns for each element of `given`, from the row of shares with that name."""
    return np.asarray(table.columns)[draw(table.loc[given].to_numpy(), rng)]


def make_reviews() -> pd.DataFrame:
    """The table: ROWS rows in order of review_date, dates as ISO text."""
    products = make_products()
    rng = np.random.default_rng([SEED, 1])
    cluster_shares = np.array([[c.share for c in CLUSTERS.values()]])
    cluster = np.array(list(CLUSTERS))[draw(cluster_shares.repeat(ROWS, axis=0), rng)]
    category = draw_rows(category_given_cluster(), cluster, rng)
    product_id = draw_rows(product_given_category(products), category, rng)
    product = products.loc[product_id]
    strictness = np.array([CLUSTERS[name].strictness for name in cluster])
    rating = 1 + draw(rating_given_strictness(strictness, product["quality"].to_numpy()), rng)
    discounted = rng.random(ROWS) < np.array([CLUSTERS[name].discount_share for name in cluster])
    discount = np.where(discounted, rng.choice(DISCOUNTS, ROWS), 0.0)
    drift = np.where(product["fixed_price"], 0.0, MARKETPLACE_SIGMA * rng.standard_normal(ROWS))
    price = product["list_price"].to_numpy() * np.exp(drift) * (1 - discount)

    verified = rng.random(ROWS) >= np.array([UNVERIFIED_GIVEN_RATING[r] for r in rating])
    voted_share = np.array([VOTED_GIVEN_RATING[r] for r in rating]) * np.where(verified, 1.0, UNVERIFIED_VOTED_FACTOR)
    votes_if_any = np.floor((1 - rng.random(ROWS)) ** (-1 / VOTES_EXPONENT)).astype(int)
    votes = np.where(rng.random(ROWS) < voted_share, votes_if_any, 0)

    review_date = draw_rows(day_given_category(), category, rng)
    region = rng.choice(list(REGION_SHARES), ROWS, p=list(REGION_SHARES.values())).astype(object)
    region[rng.random(ROWS) < np.array([REGION_MISSING_GIVEN_VERIFIED[v] for v in verified])] = None

    reviews = pd.DataFrame(
        {
            "product_id": product_id,
            "category": category,
            "price": price.round(2),
            "rating": rating,
            "preference_cluster": cluster,
            "verified": verified,
            "helpful_votes": votes,
            "review_date": pd.DatetimeIndex(review_date).strftime("%Y-%m-%d"),
            "region": region,
        }
    ).sort_values("review_date", kind="stable", ignore_index=True)
    reviews.insert(0, "review_id", [f"R{number:06d}" for number in rng.integers(1, 10, ROWS).cumsum()])  # with gaps
    return reviews


def main(path: Path = REVIEWS) -> None:
    """Write the table as CSV: UTF-8, line feeds, an empty cell where a value is missing."""
    make_reviews().to_csv(path, index=False, float_format="%.2f", lineterminator="\n", encoding="utf-8")


if __name__ == "__main__":
    main()
