import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabgan.report.columns import ComparableTable, comparable
from tabgan.report.distance import Ruler
from tabgan.report.privacy import copies, membership_auc, neighbours, repeats, singled_out
from tabgan.schema import Schema


def tables(**frames: pd.DataFrame) -> dict[str, ComparableTable]:
    arrow = {part: pa.Table.from_pandas(frame, preserve_index=False) for part, frame in frames.items()}
    return comparable(Schema.infer(arrow["real"]), arrow)


def numbers(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"x": np.array(values) + 0.5})


def test_copies_and_repeats_by_hand() -> None:
    made = tables(real=numbers(1, 1, 2, 3), other=numbers(1, 2, 2, 9))
    assert copies(made["real"], made["other"]) == 0.75
    assert repeats(made["real"]) == 0.5


def test_the_neighbour_ratio_and_the_curve_by_hand() -> None:
    # Ranks of the real rows: 1/8, 3/8, 5/8, 7/8. The synthetic row 2 stands on 3/8; its second neighbour is 2/8 away.
    made = tables(real=numbers(1, 2, 3, 4), other=numbers(2, 2, 2))
    found = neighbours(made["real"], made["other"], None, Ruler(made["real"]), 0)
    assert found.scores == {"nndr": 0.0}
    assert set(found.curve.synthetic) == {0.0}
    # Each real row's nearest other one is 2/8 away; the second is as far for the inner two, 4/8 for the ends.
    assert found.others["nndr"] == pytest.approx(0.5)
    assert found.curve.others[0] == found.curve.others[-1] == pytest.approx(0.25)


def test_membership_is_guessed_by_who_is_nearer() -> None:
    assert membership_auc(np.array([0.0, 0.1]), np.array([0.2, 0.3])).value == 1
    assert membership_auc(np.array([0.1, 0.3]), np.array([0.2, 0.2])).value == 0.5


def test_rare_combinations_by_hand() -> None:
    real = pd.DataFrame({"a": list("xxyy"), "b": list("ppqr")})  # y q and y r are had by one row each
    made = tables(
        real=real,
        one=pd.DataFrame({"a": list("xyx"), "b": list("pqr")}),
        none=pd.DataFrame({"a": list("xxx"), "b": list("pqr")}),
    )
    assert singled_out(made["real"], [made["one"], made["none"]], 0) == [0.5, 0.0]
    common = pd.DataFrame({"a": list("xxyy"), "b": list("ppqq")})
    made = tables(real=common, other=common)
    assert singled_out(made["real"], [made["other"]], 0) == [None]


def test_remembered_rows_are_told_from_fresh_ones() -> None:
    rng = np.random.default_rng(0)
    real, fresh, held = (pd.DataFrame(rng.normal(size=(500, 4)), columns=list("abcd")) for _ in range(3))
    made = tables(real=real, fresh=fresh, near=real + 0.001, held=held)
    ruler = Ruler(made["real"])
    good, bad = (neighbours(made["real"], made[part], made["held"], ruler, 0).scores for part in ("fresh", "near"))
    assert good["membership_auc"] == pytest.approx(0.5, abs=0.05)
    assert good["dcr_share"] == pytest.approx(0.5, abs=0.05)
    assert good["nndr"] > 0.3
    assert bad["membership_auc"] > 0.95
    assert bad["dcr_share"] > 0.95
    assert bad["nndr"] < 0.1
