import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabgan.report.association import associations, correlation_ratio, cramers_v
from tabgan.report.columns import comparable
from tabgan.report.joints import joints
from tabgan.report.pairs import score_pairs
from tabgan.schema import Schema

NAN = float("nan")


def test_cramers_v_of_columns_that_fix_each_other_is_one_and_of_others_nothing() -> None:
    one = np.tile([0, 1, 2], 50)
    assert cramers_v(one, 2 - one) == pytest.approx(1)
    assert cramers_v(np.repeat([0, 1], 50), np.tile([0, 1], 50)) == 0
    assert np.isnan(cramers_v(one, np.zeros(150, int)))


def test_cramers_v_by_hand() -> None:
    one, other = np.repeat([0, 0, 1, 1], [30, 20, 20, 30]), np.repeat([0, 1, 0, 1], [30, 20, 20, 30])
    # chi-square / n = 0.04; less 1 / 99; over 2 - 1 / 99 - 1
    assert cramers_v(one, other) == pytest.approx(np.sqrt((0.04 - 1 / 99) / (1 - 1 / 99)))


def test_the_correlation_ratio_by_hand() -> None:
    labels, numbers = np.array([0, 0, 1, 1, 1]), np.array([1.0, 3.0, 5.0, 7.0, NAN])
    assert correlation_ratio(labels, numbers) == pytest.approx(np.sqrt(16 / 20))  # 4 * 2^2 between, 20 in all
    assert np.isnan(correlation_ratio(labels, np.full(5, 2.0)))
    assert correlation_ratio(np.array([0, 1]), np.array([-1e300, 1e300])) == pytest.approx(1)


def mixed() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    return pd.DataFrame(
        {
            "x": x,
            "y": -x + 0.1 * rng.normal(size=400),
            "size": np.where(x > 0, "large", "small"),
            "sign": np.where(x > 0, "plus", "minus"),
            "one": "EUR",
        }
    )


def test_the_matrix_has_every_pair_and_is_symmetric() -> None:
    real = mixed()
    tables = {
        "real": pa.Table.from_pandas(real),
        "synthetic": pa.Table.from_pandas(real.assign(size=real["size"][::-1].to_numpy())),
    }
    made = comparable(Schema.infer(tables["real"]), tables)
    found = associations(made["real"], made["synthetic"], 0)
    place = {name: i for i, name in enumerate(found.columns)}
    assert found.real[place["x"]][place["y"]] == pytest.approx(-1, abs=0.02)
    assert found.real[place["size"]][place["sign"]] == pytest.approx(1)
    assert found.real[place["sign"]][place["x"]] == pytest.approx(0.8, abs=0.05)
    assert found.real[place["one"]][place["x"]] in (None, 0)
    assert found.real[place["one"]][place["size"]] is None
    assert found.synthetic[place["size"]][place["sign"]] < 0.2
    assert found.real == tuple(zip(*found.real, strict=True))


def test_the_least_alike_pair_is_drawn_first_in_bins_that_hold_all_rows() -> None:
    real = mixed()
    rng = np.random.default_rng(1)
    lacking = np.where(rng.random(400) < 0.2, NAN, rng.permutation(real["y"]))
    tables = {"real": pa.Table.from_pandas(real), "synthetic": pa.Table.from_pandas(real.assign(y=lacking))}
    made = comparable(Schema.infer(tables["real"]), tables)
    drawn = joints(made["real"], made["synthetic"], score_pairs(made["real"], made["synthetic"]))
    assert {drawn[0].x.name, drawn[0].y.name} & {"y"}
    assert [joint.similarity for joint in drawn] == sorted(joint.similarity for joint in drawn)
    for joint in drawn:
        for shares in (joint.real, joint.synthetic):
            assert np.sum(shares) == pytest.approx(1)
            assert np.shape(shares) == (joint.x.bins, joint.y.bins)
    with_y = next(joint for joint in drawn if joint.y.name == "y")
    assert np.array(with_y.synthetic)[:, -1].sum() == pytest.approx(np.isnan(lacking).mean())
