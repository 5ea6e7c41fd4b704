import pytest
import torch

from tabgan.config import ModelConfig, TrainConfig
from tabgan.encoding.base import Code
from tabgan.model.copula import in_turn
from tabgan.model.generator import Generator
from tabgan.training.average import Average
from tabgan.training.batches import Rows
from tabgan.training.history import History
from tabgan.training.warmup import WarmUp, random_masks


def test_any_number_of_known_codes_is_equally_likely_and_never_all():
    rng = torch.Generator().manual_seed(0)
    known = random_masks(20_000, 4, 0.0, rng, "cpu", masks=20_000).sum(dim=1)
    shares = torch.bincount(known, minlength=5) / len(known)
    assert shares.tolist() == pytest.approx([0.25, 0.25, 0.25, 0.25, 0], abs=0.02)


def test_rows_share_as_many_masks_as_asked():
    known = random_masks(500, 9, 0.0, torch.Generator().manual_seed(0), "cpu", masks=7)
    assert known.shape == (7, 9)
    rows = in_turn(known, 500)
    assert rows.shape == (500, 9)
    assert torch.equal(rows[499], known[499 % 7])
    assert random_masks(3, 9, 0.0, torch.Generator().manual_seed(0), "cpu", masks=7).shape == (3, 9)


def test_a_share_of_the_rows_hides_everything():
    known = random_masks(20_000, 4, 0.4, torch.Generator().manual_seed(0), "cpu", masks=20_000).sum(dim=1)
    assert (known == 0).float().mean().item() == pytest.approx(0.4 + 0.6 / 4, abs=0.02)


def test_every_code_is_known_equally_often():
    known = random_masks(20_000, 5, 0.0, torch.Generator().manual_seed(0), "cpu", masks=20_000).float().mean(dim=0)
    assert known.tolist() == pytest.approx([0.4] * 5, abs=0.02)


def test_the_average_forgets_half_in_a_half_life():
    network = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(network.weight)
    average = Average(network, half_life_rows=10)
    average.update(network, rows=1_000)  # long past the first tenth, in which the half-life is shorter
    torch.nn.init.ones_(network.weight)
    average.update(network, rows=10)
    assert average.network.weight.item() == pytest.approx(0.5)


def test_the_weights_that_are_kept_stay_as_they_were_and_go_on_in_another_process():
    network = torch.nn.Linear(1, 1)
    average, other = Average(network, 10), Average(torch.nn.Linear(1, 1), 10)
    weights = []
    for _ in range(3):
        torch.nn.init.normal_(network.weight)
        average.update(network, rows=1_000_000)
        weights.append(average.network.weight.item())
        if len(weights) == 2:
            average.keep()
    other.load_state_dict(average.state_dict())
    assert other.network.weight.item() == weights[2]
    assert average.kept().weight.item() == other.kept().weight.item() == weights[1]


def new(codes: torch.Tensor, layout: list[Code], rng: torch.Generator) -> Generator:
    frequencies = torch.cat([torch.bincount(codes[:, i], minlength=c.cardinality) for i, c in enumerate(layout)])
    return Generator(layout, frequencies / len(codes), ModelConfig(width=32, blocks=2), rng)


def fitted(
    codes: torch.Tensor, layout: list[Code], steps: int = 300, holdout: int = 100, **rates: float
) -> tuple[Generator, History]:
    rng, history = torch.Generator().manual_seed(0), History(None, None)
    generator = new(codes, layout, rng)
    config = TrainConfig(
        warmup_steps=steps, batch_rows=128, ema_half_life_rows=2_000, evaluate_every=steps // 10, **rates
    )
    return WarmUp(generator, Rows.split(codes, holdout, "cpu", rng), config, history, rng).run(), history


def test_every_conditional_is_learned():
    # a: 3/4 ones; b follows a nine times out of ten; c is noise.
    rng = torch.Generator().manual_seed(1)
    a = (torch.rand(4_000, generator=rng) < 0.25).long() + 1
    flip = torch.rand(4_000, generator=rng) < 0.1
    b = torch.where(flip, 3 - a, a)
    c = torch.randint(1, 3, (4_000,), generator=rng)
    codes = torch.stack([a, b, c], dim=1)
    network, _ = fitted(codes, [Code(name, 3, False) for name in "abc"])
    row, known = torch.tensor([[1, 2, 1]]), torch.tensor([[True, False, False]])

    def chance_of_two(known: list[bool], code: int) -> float:
        logits = network(row, torch.tensor([known]))[0, 3 * code : 3 * code + 3]
        return logits.softmax(dim=0)[2].item()

    assert chance_of_two([False, False, False], 0) == pytest.approx(0.25, abs=0.04)
    assert chance_of_two([True, False, False], 1) == pytest.approx(0.1, abs=0.04)  # b given a = 1
    # a given b = 2: (1/4 * 9/10) / (1/4 * 9/10 + 3/4 * 1/10) = 3/4
    assert chance_of_two([False, True, False], 0) == pytest.approx(0.75, abs=0.06)
    assert chance_of_two([True, True, False], 2) == pytest.approx(0.5, abs=0.06)
    assert known.shape == row.shape


def test_the_trunks_matrices_have_a_rate_of_their_own():
    codes = torch.randint(1, 4, (500, 1), generator=torch.Generator().manual_seed(0)).expand(-1, 3)
    layout = [Code(str(i), 4, False) for i in range(3)]
    start = new(codes, layout, torch.Generator().manual_seed(0))

    def moved(**rates: float) -> tuple[float, float]:
        network, _ = fitted(codes, layout, steps=20, **rates)
        pairs = zip(network.hidden, start.hidden, strict=True)
        return max((a - b).abs().max().item() for a, b in pairs), (network.bias - start.bias).abs().max().item()

    trunk, rest = moved(trunk_learning_rate=1e-9)
    assert trunk < 1e-6 < 1e-4 < rest
    trunk, rest = moved(learning_rate=1e-9)
    assert rest < 1e-6 < 1e-4 < trunk


def test_noise_is_not_learned_by_heart():
    # 150 rows of pure noise: the held-out loss must stay near what chance gives, log 8 a code.
    codes = torch.randint(1, 9, (150, 6), generator=torch.Generator().manual_seed(2))
    _, history = fitted(codes, [Code(str(i), 9, False) for i in range(6)], steps=400, holdout=50)
    best = min(record["held_out"] for record in history.records)
    assert best < 2.079 + 0.15


def test_the_held_out_loss_is_recorded_and_falls():
    codes = torch.randint(1, 4, (1_000, 1), generator=torch.Generator().manual_seed(0)).expand(-1, 3)
    _, history = fitted(codes, [Code(str(i), 4, False) for i in range(3)], steps=500)
    losses = [record["held_out"] for record in history.records]
    assert len(losses) >= 2
    # Nothing is known in 0.1 + 0.9 / 3 of the rows, which costs log 3; where anything is known the rest follows.
    assert losses[-1] < 0.4 * 1.1 + 0.1
