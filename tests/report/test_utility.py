import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tabgan.report.columns import comparable
from tabgan.report.utility import agreement, utility
from tabgan.schema import Schema


def test_agreement_by_hand() -> None:
    # Shares 3/4, 1/4, 0 against 1/4, 1/4, 1/2: half of 1/2 + 0 + 1/2 differs. What is negative is chance.
    one, other = np.array([0.3, 0.1, -0.2]), np.array([0.1, 0.1, 0.2])
    assert agreement(one, other) == pytest.approx(0.5)
    assert agreement(one, 7 * one) == pytest.approx(1)
    assert agreement(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 0
    assert agreement(np.array([1.0, 0.0]), np.array([0.0, -1.0])) is None


@pytest.mark.parametrize("target", ["number", "label", "three"])
def test_the_column_that_tells_the_target_is_what_the_model_goes_by(target: str) -> None:
    rng = np.random.default_rng(0)
    noise, cause = rng.normal(size=(2, 600))
    values = {
        "number": cause + 0.1 * rng.normal(size=600),
        "label": np.where(cause > 0, "yes", "no"),
        "three": np.digitize(cause, [-0.5, 0.5]).astype(str),
    }
    frame = pd.DataFrame({"noise": noise, target: values[target], "cause": cause})
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    table = comparable(Schema.infer(arrow), {"real": arrow})["real"]
    used = utility(table.take(np.arange(400)), table.take(np.arange(400, 600)), target, 0)
    assert used is not None
    assert used.score > 0.9
    assert used.importance[1] > 0.4 > 0.05 > abs(used.importance[0])
