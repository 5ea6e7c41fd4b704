import pytest

from tabgan.training.alarms import alarms


def warm(loss: float, held_out: float) -> dict:
    return {"stage": "warm-up", "step": 10, "loss": loss, "held_out": held_out}


def game(*looks: tuple[float, float, float]) -> list[dict]:
    return [
        {"stage": "game", "step": 100 * i, "gap": gap, "c2st": auc, "distinct": distinct}
        for i, (gap, auc, distinct) in enumerate(looks)
    ]


HEALTHY = [warm(1.0, 1.05)] * 5 + game((0, 0.7, 0.98), (0.2, 0.6, 0.98), (0.1, 0.56, 0.97), (0.1, 0.57, 0.97))


def test_a_healthy_fit_raises_no_alarm():
    assert alarms(HEALTHY) == []
    assert alarms([]) == []


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([warm(1.0, 1.5)] * 3, "the model memorises: held-out rows are 1.50 times harder"),
        (
            [
                warm(1.0, 1.0 + share) | {"stage": f"teacher {i}"}
                for i in (1, 2)
                for share in (0, 0.2 * i, 0.2 * i, 0.2 * i)
            ]
            + [warm(1.0, 1.0)] * 3,
            "the model memorises: held-out rows are 1.30 times harder",
        ),
        (game((0, 0.7, 0.98), (0.1, 0.6, 0.98), (0.9, 0.65, 0.98)), "the critic overpowers"),
        (game((0, 0.7, 0.98), (0.1, 0.56, 0.98), (0.1, 0.64, 0.98)), "the game swings"),
        (game((0, 0.7, 0.98), (0.1, 0.6, 0.6), (0.1, 0.59, 0.5)), "rows collapse: 50%"),
        ([{"stage": "game", "step": 7, "restored": 1, "rate_share": 0.5}], "not finite in the game by step 7"),
    ],
)
def test_each_illness_has_its_alarm(records, words):
    found = alarms(records)
    assert any(words in line for line in found)
    assert all("\n" not in line for line in found)
