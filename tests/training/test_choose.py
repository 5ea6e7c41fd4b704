from collections.abc import Iterator

import pytest
import torch

import tabgan.training.choose
from tabgan.encoding.base import Code
from tabgan.training.batches import Rows
from tabgan.training.checkpoint import Checkpoint
from tabgan.training.choose import Choice, choose_rounds, fewest, lost_correlation
from tabgan.training.history import History

LAYOUT = [Code(name, 12, ordered=True) for name in "ab"]
RNG = torch.Generator().manual_seed(0)


def tied(rows: int) -> torch.Tensor:
    a = torch.randint(1, 12, (rows, 1), generator=RNG)
    return torch.cat([a, (a + torch.randint(-1, 2, (rows, 1), generator=RNG)).clamp(1, 11)], dim=1)


class Stub:
    """A sampler whose rows are independent below `enough` rounds and tied from there on."""

    def __init__(self, enough: int) -> None:
        self.enough = enough

    def blocks(self, rows: int, rounds: int, seed: int) -> Iterator[torch.Tensor]:
        made = tied(rows)
        if rounds < self.enough:
            made[:, 1] = made[torch.randperm(rows, generator=RNG), 1]
        yield made


def chosen(rows: int, enough: int = 5, most: int = 8) -> tuple[int, History]:
    RNG.manual_seed(3)  # whatever tests ran before
    history = History(None, None)
    table = Rows.split(tied(rows), rows // 10, "cpu", torch.Generator().manual_seed(0))
    found = choose_rounds(0, most, lambda _: Stub(enough), table, LAYOUT, 0, history)  # type: ignore[arg-type, return-value]
    return found.rounds, history


@pytest.mark.parametrize("enough", [2, 3, 4, 7, 8])
def test_the_fewest_rounds_that_are_as_good_as_the_best_are_chosen(enough: int):
    assert chosen(8_000, enough)[0] == enough


@pytest.mark.parametrize(
    ("found", "rounds"),
    [
        ({2: 0.51, 9: 0.502}, 2),
        ({2: 0.7, 9: 0.69}, 2),
        ({2: 0.999, 9: 0.99}, 9),
        ({4: 0.525, 8: 0.509}, 8),
        ({4: 0.509, 8: 0.49}, 4),
        ({4: 0.509, 8: 0.48}, 8),
        ({6: 0.5, 8: 0.48}, 8),
        ({3: 0.5, 8: 0.48}, 8),
    ],
)
def test_what_a_difference_means_depends_on_how_well_trees_tell(found: dict[int, float], rounds: int):
    assert fewest(found) == rounds


def test_rounds_that_lose_a_strong_correlation_are_not_chosen_whatever_trees_say(monkeypatch):
    monkeypatch.setattr(tabgan.training.choose, "c2st", lambda *_: 0.7)  # they look at something else
    assert chosen(3_000, enough=5)[0] == 5
    assert chosen(3_000, enough=2)[0] == 2


def test_what_is_lost_of_correlations():
    rows = tied(20_000)
    rows[::7, 1] = 0  # a missing cell says nothing
    assert lost_correlation(rows, rows, LAYOUT) == 0
    shuffled = rows[torch.randperm(len(rows), generator=RNG), 1]
    broken = torch.stack([rows[:, 0], shuffled], dim=1)
    strong = torch.corrcoef(rows[rows[:, 1] > 0].double().T)[0, 1].item()
    assert strong > 0.9
    assert abs(lost_correlation(rows, broken, LAYOUT) - strong) < 0.08  # what is missing takes a little off
    assert lost_correlation(broken, rows, LAYOUT) == 0  # none that is strong
    labels = [Code(name, 12, ordered=False) for name in "ab"]
    assert lost_correlation(rows, broken, labels) == 0


def test_many_rounds_are_not_told_apart_one_by_one():
    rounds, history = chosen(3_000, enough=30, most=64)
    assert 30 <= rounds <= 34
    assert len(history.records) <= 6


@pytest.mark.parametrize(("few", "rounds"), [(3, 2), (0, 6)])
def test_few_rounds_have_a_generator_of_their_own(few: int, rounds: int):
    RNG.manual_seed(3)
    table = Rows.split(tied(8_000), 800, "cpu", torch.Generator().manual_seed(0))
    networks = {n: Stub(2 if n <= few else 6) for n in range(9)}
    found = choose_rounds(few, 8, networks.get, table, LAYOUT, 0, History(None, None))  # type: ignore[arg-type]
    assert found.rounds == rounds


def test_where_no_time_is_left_none_is_judged_and_little_time_is_not_overdrawn(monkeypatch):
    table = Rows.split(tied(300), 30, "cpu", torch.Generator().manual_seed(0))
    for limit, judged in ((1e-9, 0), (60.0, 1)):
        history, asked = History(None, limit), []

        def c2st(*_: object, history: History = history, asked: list[int] = asked) -> float:
            asked.append(1)
            history.go_on([], 100.0)  # so long it took
            return 0.5

        monkeypatch.setattr(tabgan.training.choose, "c2st", c2st)
        found = choose_rounds(0, 8, lambda _: Stub(5), table, LAYOUT, 0, history)  # type: ignore[arg-type, return-value]
        assert len(asked) == judged
        assert found == (Choice(8, 0.5) if judged else None)


def test_of_few_rows_several_samples_are_judged_so_that_chance_does_not_choose():
    rounds, history = chosen(300)
    assert rounds == 5
    assert [record["rounds"] for record in history.records] == [8, 4, 6, 5]


def test_a_choice_that_was_interrupted_asks_again_of_no_number_of_rounds():
    checkpoint = Checkpoint()
    checkpoint._stage, checkpoint._state = "choose", {"found": [(8, 0.5), (3, 0.51)], "lost": [(8, 0.0), (3, 0.0)]}
    history = History(None, None)
    table = Rows.split(tied(3_000), 300, "cpu", torch.Generator().manual_seed(0))
    stub = Stub(enough=5)
    found = choose_rounds(3, 8, lambda _: stub, table, LAYOUT, 0, history, checkpoint)  # type: ignore[arg-type, return-value]
    assert found == (3, 0.51)
    assert [record["rounds"] for record in history.records] == [2]
