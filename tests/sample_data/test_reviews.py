"""The sample table is what its script writes, and it shows what its README says.

A fact is a table of shares P(value | given): the truth of the process, the README's table of the same name, and the
counts in the file, which a chi-square test compares with the truth. A broken table beside each fact must fail it.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

FOLDER = Path(__file__).parents[2] / "sample_data"
README = (FOLDER / "README.md").read_text(encoding="utf-8").replace("\n   |", "\n|")  # tables inside a list

spec = importlib.util.spec_from_file_location("make_reviews", FOLDER / "make_reviews.py")
make_reviews = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_reviews)

PRODUCTS = make_reviews.make_products()
CLUSTER_SHARES = pd.Series({name: cluster.share for name, cluster in make_reviews.CLUSTERS.items()})
CATEGORY_SHARES = CLUSTER_SHARES @ make_reviews.category_given_cluster()
RATING_SHARES = CLUSTER_SHARES @ make_reviews.rating_given_cluster(PRODUCTS)
QUALITY_THIRDS = pd.qcut(PRODUCTS["quality"], 3, labels=["low", "middle", "high"]).astype(str)
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
VOTE_BINS = {"1": 1, "2": 2, "3-4": 3, "5-9": 5, "10-19": 10, "20+": 20}
DISCOUNTS = {"none": 0, "10 %": 10, "20 %": 20, "30 %": 30}

Breaker = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Fact:
    name: str
    truth: pd.DataFrame
    labels: Callable[[pd.DataFrame], tuple[pd.Series, pd.Series]]
    """Of a table: what is given, and the value, for the rows that the fact speaks of."""
    broken: Breaker


def shuffled(*columns: str) -> Breaker:
    """The columns' cells, kept together, are dealt out to other rows: every marginal stays, every tie is lost."""

    def shuffle(reviews: pd.DataFrame) -> pd.DataFrame:
        order = np.random.default_rng(0).permutation(len(reviews))
        return reviews.assign(**{column: reviews[column].to_numpy()[order] for column in columns})

    return shuffle


def p_value(counts: pd.DataFrame, truth: pd.DataFrame) -> float:
    """Of Pearson's chi-square test that each row of the counts was drawn from the shares in that row of the truth."""
    assert set(counts.columns) <= set(truth.columns)
    counts = counts.reindex(index=truth.index, columns=truth.columns, fill_value=0)
    expected = truth.mul(counts.sum(axis=1), axis=0)
    possible = (truth > 0).to_numpy()
    if counts.to_numpy()[~possible].any():
        return 0.0
    statistic = ((counts - expected) ** 2 / expected.where(possible)).sum().sum()
    return float(chi2.sf(statistic, possible.sum() - len(truth)))


def two_way(share_of_second: dict[str, float], first: str, second: str) -> pd.DataFrame:
    shares = pd.Series(share_of_second)
    return pd.DataFrame({first: 1 - shares, second: shares})


def voted_shares() -> dict[str, float]:
    voted = make_reviews.VOTED_GIVEN_RATING
    factor = {True: 1.0, False: make_reviews.UNVERIFIED_VOTED_FACTOR}
    return {f"{r}, {v}": voted[r] * factor[v] for r in make_reviews.RATINGS for v in (True, False)}


def discount_labels(reviews: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    product = PRODUCTS.loc[reviews["product_id"]].reset_index(drop=True)
    percent = (100 * (1 - reviews["price"] / product["list_price"])).round().astype(int)
    label = percent.map({value: name for name, value in DISCOUNTS.items()}).fillna("another")
    return (reviews["preference_cluster"][product["fixed_price"]], label[product["fixed_price"]])


def discount_truth() -> pd.DataFrame:
    shares = pd.Series({name: cluster.discount_share for name, cluster in make_reviews.CLUSTERS.items()})
    each = shares / len(make_reviews.DISCOUNTS)
    return pd.DataFrame({name: each if percent else 1 - shares for name, percent in DISCOUNTS.items()})


def votes_truth() -> pd.DataFrame:
    at_least = np.array(list(VOTE_BINS.values())) ** -make_reviews.VOTES_EXPONENT
    return pd.DataFrame([-np.diff(at_least, append=0)], index=["any"], columns=list(VOTE_BINS))


def votes_labels(reviews: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    votes = reviews["helpful_votes"][reviews["helpful_votes"] > 0]
    bins = pd.cut(votes, [*VOTE_BINS.values(), np.inf], right=False, labels=list(VOTE_BINS)).astype(str)
    return pd.Series("any", index=votes.index), bins


def dates(reviews: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(reviews["review_date"], format="%Y-%m-%d")


def weekday_truth() -> pd.DataFrame:
    days = CATEGORY_SHARES @ make_reviews.day_given_category()
    return pd.DataFrame([days.groupby(days.index.day_of_week).sum().to_numpy()], index=["any"], columns=WEEKDAYS)


def weekday_labels(reviews: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    weekday = dates(reviews).dt.day_of_week.map(dict(enumerate(WEEKDAYS)))
    return pd.Series("any", index=reviews.index), weekday


def month_truth() -> pd.DataFrame:
    days = make_reviews.day_given_category()
    months = days.T.groupby(days.columns.month).sum().T
    return months.loc[["Garden", "Toys", "Home"]].rename(index={"Home": "another"})


def month_labels(reviews: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    seasonal = reviews["category"].isin(make_reviews.SEASON_FACTORS)
    return reviews["category"].where(seasonal, "another"), dates(reviews).dt.month


def dates_in_turn(reviews: pd.DataFrame) -> pd.DataFrame:
    days = pd.date_range(make_reviews.FIRST_DAY, make_reviews.LAST_DAY).strftime("%Y-%m-%d")
    return reviews.assign(review_date=np.resize(days, len(reviews)))


def region_labels(reviews: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    there = reviews[reviews["region"].notna()]
    return there["preference_cluster"], there["region"]


def rating_given_quality() -> pd.DataFrame:
    """One row a cluster and a third of the products by quality (low, middle, high)."""
    product_shares = make_reviews.category_given_cluster() @ make_reviews.product_given_category(PRODUCTS)
    rows = {}
    for name, cluster in make_reviews.CLUSTERS.items():
        quality = PRODUCTS["quality"].to_numpy()
        given_product = make_reviews.rating_given_strictness(np.full_like(quality, cluster.strictness), quality)
        for third in ("low", "middle", "high"):
            weights = product_shares.loc[name] * QUALITY_THIRDS.eq(third)
            rows[f"{name}, {third}"] = (weights / weights.sum()).to_numpy() @ given_product
    return pd.DataFrame(rows, index=list(make_reviews.RATINGS)).T


def popular_made_uniform(reviews: pd.DataFrame) -> pd.DataFrame:
    """Every product of a category gets as many rows as the next one."""
    in_turn = {name: np.resize(group.index, len(reviews)) for name, group in PRODUCTS.groupby("category")}
    turn = reviews.groupby("category").cumcount()
    product_id = [in_turn[name][i] for name, i in zip(reviews["category"], turn, strict=True)]
    return reviews.assign(product_id=product_id)


IN_README = [
    Fact(
        "rating given preference_cluster",
        make_reviews.rating_given_cluster(PRODUCTS),
        lambda t: (t["preference_cluster"], t["rating"]),
        shuffled("preference_cluster"),
    ),
    Fact(
        "category given preference_cluster",
        make_reviews.category_given_cluster(),
        lambda t: (t["preference_cluster"], t["category"]),
        shuffled("preference_cluster"),
    ),
    Fact(
        "discount given preference_cluster",
        discount_truth(),
        discount_labels,
        shuffled("preference_cluster"),
    ),
    Fact(
        "verified given rating",
        two_way({str(r): share for r, share in make_reviews.UNVERIFIED_GIVEN_RATING.items()}, "True", "False"),
        lambda t: (t["rating"].astype(str), t["verified"].astype(str)),
        shuffled("verified"),
    ),
    Fact(
        "helpful_votes given rating, verified",
        two_way(voted_shares(), "0", "1 or more"),
        lambda t: (
            t["rating"].astype(str) + ", " + t["verified"].astype(str),
            t["helpful_votes"].gt(0).map({False: "0", True: "1 or more"}),
        ),
        shuffled("helpful_votes"),
    ),
    Fact(
        "helpful_votes above 0",
        votes_truth(),
        votes_labels,
        lambda t: t.assign(helpful_votes=t["helpful_votes"].clip(upper=9)),
    ),
    Fact(
        "region given verified",
        two_way({str(v): p for v, p in make_reviews.REGION_MISSING_GIVEN_VERIFIED.items()}, "known", "missing"),
        lambda t: (t["verified"].astype(str), t["region"].isna().map({False: "known", True: "missing"})),
        shuffled("region"),
    ),
    Fact(
        "known region given preference_cluster",
        pd.DataFrame(dict.fromkeys(make_reviews.CLUSTERS, make_reviews.REGION_SHARES)).T,
        region_labels,
        lambda t: t.assign(
            region=t["region"].mask(t["preference_cluster"].eq("family") & t["region"].eq("East"), "West")
        ),
    ),
    Fact("weekday of review_date", weekday_truth(), weekday_labels, dates_in_turn),
    Fact("month of review_date given category", month_truth(), month_labels, shuffled("review_date")),
]
FACTS = [
    *IN_README,
    Fact(
        "product given category",
        make_reviews.product_given_category(PRODUCTS),
        lambda t: (t["category"], t["product_id"]),
        popular_made_uniform,
    ),
    Fact(
        "rating given preference_cluster, quality of the product",
        rating_given_quality(),
        lambda t: (t["preference_cluster"] + ", " + QUALITY_THIRDS[t["product_id"]].to_numpy(), t["rating"]),
        shuffled("product_id", "category"),
    ),
]


@pytest.fixture(scope="module")
def reviews() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "reviews.csv")


def readme_table(name: str) -> pd.DataFrame:
    """The table whose first heading is the name, its figures as numbers."""
    assert f"\n| {name} |" in README, f"README.md has no table {name!r}"
    lines = README.split(f"\n| {name} |")[1].split("\n\n")[0].splitlines()
    heading, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return pd.DataFrame({row[0]: [float(cell) for cell in row[1:]] for row in rows}, index=heading).T


def counts_of(fact: Fact, reviews: pd.DataFrame) -> pd.DataFrame:
    given, value = fact.labels(reviews)
    return pd.crosstab(given.to_numpy(), value.to_numpy())


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_file_shows_the_process(fact: Fact, reviews: pd.DataFrame) -> None:
    assert p_value(counts_of(fact, reviews), fact.truth) > 0.01


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_broken_table_does_not_show_the_process(fact: Fact, reviews: pd.DataFrame) -> None:
    assert p_value(counts_of(fact, fact.broken(reviews)), fact.truth) < 1e-6


@pytest.mark.parametrize("fact", IN_README, ids=lambda fact: fact.name)
def test_readme_tells_the_process(fact: Fact) -> None:
    told = readme_table(fact.name)
    assert told.index.tolist() == fact.truth.index.tolist()
    assert told.columns.tolist() == fact.truth.columns.astype(str).tolist()
    assert np.abs(told.to_numpy() - 100 * fact.truth.to_numpy()).max() <= 0.0501  # one decimal


def test_readme_tells_the_constants() -> None:
    categories = readme_table("category")
    assert categories.index.tolist() == list(make_reviews.CATEGORIES)
    assert categories.to_numpy().tolist() == [list(category) for category in make_reviews.CATEGORIES.values()]
    clusters = readme_table("preference_cluster")
    assert clusters.index.tolist() == list(make_reviews.CLUSTERS)
    assert clusters.to_numpy().tolist() == [
        [cluster.share, cluster.strictness, cluster.discount_share] for cluster in make_reviews.CLUSTERS.values()
    ]
    text = " ".join(README.split())
    for name in (
        "ZIPF_EXPONENT",
        "QUALITY_SIGMA",
        "PRICE_POINT_PRODUCTS",
        "MARKETPLACE_SIGMA",
        "UNVERIFIED_VOTED_FACTOR",
        "VOTES_EXPONENT",
        "SECOND_YEAR_FACTOR",
    ):
        assert re.search(rf"[ -]{getattr(make_reviews, name)} \(`{name}`\)", text), name
    *cuts, last_cut = make_reviews.RATING_CUTS
    assert f"cuts {', '.join(map(str, cuts))} and {last_cut} (`RATING_CUTS`)" in text
    assert f"{make_reviews.FIRST_DAY} to {make_reviews.LAST_DAY}" in text


def test_no_share_of_a_cluster_s_ratings_is_more_than_two_points_off_in_the_file(reviews: pd.DataFrame) -> None:
    def furthest(table: pd.DataFrame) -> float:
        shares = pd.crosstab(table["preference_cluster"], table["rating"], normalize="index")
        return float((shares - make_reviews.rating_given_cluster(PRODUCTS)).abs().max().max())

    assert furthest(reviews) < 0.02
    assert furthest(shuffled("preference_cluster")(reviews)) > 0.15


def test_readme_s_figures_of_the_whole_table_are_true(reviews: pd.DataFrame) -> None:
    unverified = pd.Series(make_reviews.UNVERIFIED_GIVEN_RATING)
    voted = sum(
        RATING_SHARES * pd.Series(make_reviews.VOTED_GIVEN_RATING) * share * factor
        for share, factor in ((1 - unverified, 1.0), (unverified, make_reviews.UNVERIFIED_VOTED_FACTOR))
    )
    missing = make_reviews.REGION_MISSING_GIVEN_VERIFIED
    unverified_share = (RATING_SHARES * unverified).sum()
    process = {
        **{f"rating is {rating}": share for rating, share in RATING_SHARES.items()},
        "verified is True": 1 - unverified_share,
        "helpful_votes is 0": 1 - voted.sum(),
        "region is missing": (1 - unverified_share) * missing[True] + unverified_share * missing[False],
        **{f"preference_cluster is {name}": share for name, share in CLUSTER_SHARES.items()},
    }
    file = {
        **{f"rating is {rating}": reviews["rating"].eq(rating).mean() for rating in make_reviews.RATINGS},
        "verified is True": reviews["verified"].mean(),
        "helpful_votes is 0": reviews["helpful_votes"].eq(0).mean(),
        "region is missing": reviews["region"].isna().mean(),
        **{
            f"preference_cluster is {name}": reviews["preference_cluster"].eq(name).mean()
            for name in CLUSTER_SHARES.index
        },
    }
    told = readme_table("share of the rows where")
    true = 100 * pd.DataFrame({"process": process, "this file": file})
    assert told.columns.tolist() == true.columns.tolist()
    assert told.index.tolist() == true.index.tolist()
    assert (told - true).abs().max().max() <= 0.0501  # one decimal
    assert (told["process"] - told["this file"]).abs().max() <= 1.5


def test_readme_s_figures_in_the_text_are_true(reviews: pd.DataFrame) -> None:
    at_point = reviews["price"].isin(make_reviews.PRICE_POINTS).mean()
    rows_of_product = reviews["product_id"].value_counts()
    text = " ".join(README.split())
    assert f"{100 * at_point:.1f} % of the rows carry one of the {len(make_reviews.PRICE_POINTS)} shared prices" in text
    assert f"the column has {reviews['price'].nunique():,} different values" in text
    assert (
        f"the 20 most reviewed products hold {100 * rows_of_product[:20].sum() / len(reviews):.1f} % of the rows"
        in text
    )
    assert f"{(rows_of_product < 10).sum()} products have fewer than 10" in text
    assert f"the largest number of votes is {reviews['helpful_votes'].max()}" in text


def test_script_writes_the_file_byte_for_byte(tmp_path: Path) -> None:
    script = shutil.copy(FOLDER / "make_reviews.py", tmp_path)
    subprocess.run([sys.executable, "-W", "error", script], check=True, cwd=tmp_path)
    assert (tmp_path / "reviews.csv").read_bytes() == (FOLDER / "reviews.csv").read_bytes()


def test_another_seed_writes_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_reviews, "SEED", make_reviews.SEED + 1)
    make_reviews.main(tmp_path / "reviews.csv")
    assert (tmp_path / "reviews.csv").read_bytes() != (FOLDER / "reviews.csv").read_bytes()


def test_columns_are_the_promised_ones(reviews: pd.DataFrame) -> None:
    assert len(reviews) == make_reviews.ROWS
    assert {name: column.dtype.kind for name, column in reviews.items() if column.dtype.kind in "bif"} == {
        "product_id": "i",
        "price": "f",
        "rating": "i",
        "verified": "b",
        "helpful_votes": "i",
    }
    assert ",".join(reviews.columns) == (
        "review_id,product_id,category,price,rating,preference_cluster,verified,helpful_votes,review_date,region"
    )
    assert reviews.columns[reviews.isna().any()].tolist() == ["region"]


def test_review_ids_are_unique_and_rise_with_gaps(reviews: pd.DataFrame) -> None:
    assert reviews["review_id"].is_unique
    assert reviews["review_id"].str.fullmatch(r"R\d{6}").all()
    steps = reviews["review_id"].str[1:].astype(int).diff()[1:]
    assert set(steps) == set(range(1, 10))
    assert reviews["review_date"].is_monotonic_increasing


def test_product_fixes_category(reviews: pd.DataFrame) -> None:
    def products_of_two_categories(table: pd.DataFrame) -> int:
        return int(table.groupby("product_id")["category"].nunique().gt(1).sum())

    assert reviews["product_id"].nunique() == len(PRODUCTS) == 300
    assert reviews["product_id"].between(1000, 9999).all()
    assert products_of_two_categories(reviews) == 0
    assert products_of_two_categories(shuffled("category")(reviews)) > 250


def test_prices_are_written_with_two_decimals(reviews: pd.DataFrame) -> None:
    def other_prices(texts: pd.Series) -> int:
        return int((~texts.str.fullmatch(r"[1-9]\d*\.\d\d")).sum())

    assert other_prices(pd.read_csv(FOLDER / "reviews.csv", dtype={"price": str})["price"]) == 0
    assert other_prices((reviews["price"] * 1.07).astype(str)) > 1000


def test_price_follows_the_product(reviews: pd.DataFrame) -> None:
    def far_prices(table: pd.DataFrame) -> int:
        ratio = table["price"].to_numpy() / PRODUCTS.loc[table["product_id"], "list_price"].to_numpy()
        furthest = np.exp(4 * make_reviews.MARKETPLACE_SIGMA)
        return int(np.sum((ratio > furthest) | (ratio < (1 - max(make_reviews.DISCOUNTS)) / furthest)))

    assert far_prices(reviews) == 0
    assert far_prices(shuffled("price")(reviews)) > 3000


def test_list_prices_are_lognormal_by_category() -> None:
    def largest_z_score(category: np.ndarray) -> float:
        medians = np.array([make_reviews.CATEGORIES[name].price_median for name in category])
        sigmas = np.array([make_reviews.CATEGORIES[name].price_sigma for name in category])
        by_category = pd.Series(np.log(PRODUCTS["list_price"].to_numpy() / medians) / sigmas).groupby(category)
        return float((by_category.mean() * np.sqrt(by_category.size())).abs().max())

    category = PRODUCTS["category"].to_numpy()
    assert largest_z_score(category) < 3.5
    assert largest_z_score(np.random.default_rng(0).permutation(category)) > 5


def test_product_id_s_size_tells_nothing_of_the_product() -> None:
    for column in ("popularity", "quality", "list_price"):
        assert abs(np.corrcoef(PRODUCTS.index, PRODUCTS[column].rank())[0, 1]) < 0.2
    assert abs(np.corrcoef(np.sort(PRODUCTS.index), np.sort(PRODUCTS["quality"]))[0, 1]) > 0.8
