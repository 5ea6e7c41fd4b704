import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabgan.report.columns import ComparableTable, comparable
from tabgan.report.distance import Places, Ruler, nearest
from tabgan.report.diversity import diversity, frechet_distance, precision_and_recall
from tabgan.report.rowids import row_ids
from tabgan.schema import Schema

NAN = float("nan")


def tables(**frames: pd.DataFrame) -> dict[str, ComparableTable]:
    arrow = {part: pa.Table.from_pandas(frame, preserve_index=False) for part, frame in frames.items()}
    return comparable(Schema.infer(arrow["real"]), arrow)


def line(*places: float) -> Places:
    """Rows of one number, whose ranks these are."""
    return Places(np.array(places)[:, None], np.zeros((len(places), 0)))


def test_the_frechet_distance_by_hand() -> None:
    one = np.array([[-1.0], [1.0]])  # mean 0, variance 1
    other = np.array([[0.0], [6.0]])  # mean 3, variance 9: 3^2 + 1 + 9 - 2 * sqrt(1 * 9)
    assert frechet_distance(one, other) == pytest.approx(13)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-12)


def test_the_frechet_distance_sees_ties_that_are_lost() -> None:
    tied = np.array([[-1.0, -1], [1, 1]])  # variances 1, covariance 1: eigenvalues 2 and 0
    free = np.array([[-1.0, -1], [1, 1], [-1, 1], [1, -1]])  # the unit matrix: 2 + 2 - 2 * sqrt(2)
    assert frechet_distance(tied, free) == pytest.approx(4 - 2 * np.sqrt(2))


def test_precision_and_recall_by_hand() -> None:
    # Reach of each real row with one neighbour: 0.1, 0.1, 0.2; of the others: 0.02, 0.02, 0.47.
    real, other = line(0.0, 0.1, 0.3), line(0.0, 0.02, 0.49)
    precision, recall = precision_and_recall(real, other, neighbours=1)
    assert precision == pytest.approx(1)  # 0.49 is within 0.2 of 0.3
    assert recall == pytest.approx(1)  # 0.1 and 0.3 are within 0.47 of 0.49
    precision, recall = precision_and_recall(real, line(0.0, 0.01, 0.9), neighbours=1)
    assert precision == pytest.approx(2 / 3)
    assert recall == pytest.approx(1)
    precision, recall = precision_and_recall(real, line(0.0, 0.01, 0.01), neighbours=1)
    assert (precision, recall) == pytest.approx((1, 1 / 3))


def test_the_distance_is_the_mean_over_columns_of_ranks_and_labels() -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5, 4.5], "size": ["S", "S", "M", "M"]})
    real = tables(real=frame)["real"]
    places = Ruler(real).places(real)
    assert places.ranks.ravel() == pytest.approx([1 / 8, 3 / 8, 5 / 8, 7 / 8])
    distances = nearest(places, places, 3, but_itself=True)
    assert distances[0] == pytest.approx([(2 / 8) / 2, (4 / 8 + 1) / 2, (6 / 8 + 1) / 2])
    assert nearest(places, places)[:, 0] == pytest.approx(0)


def test_neighbours_that_do_not_exist_are_infinitely_far() -> None:
    assert nearest(line(0.1, 0.4), line(0.1, 0.4), 2, but_itself=True).tolist() == [
        [pytest.approx(0.3), np.inf],
        [pytest.approx(0.3), np.inf],
    ]


def test_equal_rows_have_equal_numbers_and_a_missing_cell_equals_a_missing_cell() -> None:
    real = pd.DataFrame({"x": [1.5, NAN, 1.5, 1.5], "size": ["S", None, "M", "S"]})
    other = pd.DataFrame({"x": [NAN, 2.5], "size": [None, "S"]})
    made = tables(real=real, other=other)
    one, two = row_ids([made["real"], made["other"]])
    assert one[0] == one[3]
    assert len({*one}) == 3
    assert two[0] == one[1]
    assert two[1] not in one
    assert len({*row_ids([made["real"]], columns=[1])[0]}) == 3


def mixed(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return pd.DataFrame({"x": x, "y": x + 0.2 * rng.normal(size=rows), "size": np.where(x > 0, "large", "small")})


def test_collapse_shows_in_recall_and_in_repeats_and_not_in_precision() -> None:
    real, fresh = mixed(800, 0), mixed(800, 1)
    few = real.head(8).sample(800, replace=True, random_state=0)
    made = tables(real=real, fresh=fresh, few=few)
    ruler = Ruler(made["real"])
    good, bad = (diversity(made["real"], made[part], 800, ruler, 0) for part in ("fresh", "few"))
    assert good["distinct_rows"] == 1
    assert good["most_repeated"] == 1
    assert good["knn_recall"] > 0.9
    assert good["frechet"] < 0.02
    assert bad["distinct_rows"] == 8 / 800
    assert bad["most_repeated"] > 60
    assert bad["knn_recall"] < 0.05
    assert bad["knn_precision"] == 1
    assert bad["frechet"] > 0.05


def test_too_few_rows_have_no_neighbours() -> None:
    made = tables(real=mixed(3, 0), other=mixed(3, 1))
    assert set(diversity(made["real"], made["other"], 3, Ruler(made["real"]), 0)) == {"distinct_rows", "most_repeated"}
