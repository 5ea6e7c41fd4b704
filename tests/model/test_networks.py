import pytest
import torch

from tabgan.config import ModelConfig
from tabgan.encoding.base import Code
from tabgan.model.critic import Critic
from tabgan.model.embedding import CodeTable
from tabgan.model.generator import Generator

CODES = [Code("colour", 4, ordered=False), Code("price", 40, ordered=True), Code("size", 3, ordered=False)]
TOTAL = 47
SMALL = ModelConfig(width=16, blocks=2, noise=4, critic_width=16, critic_embedding=4)


def made_generator() -> Generator:
    frequencies = torch.full((TOTAL,), 0.1)
    frequencies[0] = 0  # no colour is missing
    generator = Generator(CODES, frequencies, SMALL, torch.Generator().manual_seed(0))
    for block in generator.blocks:
        torch.nn.init.normal_(block.outer.weight, std=0.1, generator=torch.Generator().manual_seed(1))
    return generator


def some_rows(rows: int = 50) -> torch.Tensor:
    rng = torch.Generator().manual_seed(2)
    return torch.cat([torch.randint(code.cardinality, (rows, 1), generator=rng) for code in CODES], dim=1)


def one_hot(codes: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    parts = [
        torch.nn.functional.one_hot(codes[:, i], code.cardinality) * known[:, i : i + 1] for i, code in enumerate(CODES)
    ]
    return torch.cat(parts, dim=1).float()


def test_what_is_hidden_has_no_influence():
    generator, codes = made_generator(), some_rows()
    known = torch.tensor([[True, False, True]]).expand_as(codes)
    other = codes.clone()
    other[:, 1] = (codes[:, 1] + 7) % 40
    torch.testing.assert_close(generator(codes, known), generator(other, known))
    assert not torch.allclose(generator(codes, ~known), generator(other, ~known))


def test_the_noise_moves_the_logits():
    generator, codes = made_generator(), some_rows()
    known = torch.zeros_like(codes, dtype=torch.bool)
    z = torch.randn(len(codes), SMALL.noise, generator=torch.Generator().manual_seed(4))
    plain, silent = generator(codes, known), generator(codes, known, torch.zeros_like(z))
    torch.testing.assert_close(plain, silent)
    assert not torch.allclose(plain, generator(codes, known, z))


def test_a_new_generator_starts_near_the_frequencies_and_never_gives_what_is_not_there():
    generator, codes = made_generator(), some_rows()
    logits = generator(codes, torch.zeros_like(codes, dtype=torch.bool))
    colours = logits[:, :4].softmax(dim=1)
    assert (colours[:, 0] == 0).all()
    assert (colours[:, 1:] - 1 / 3).abs().max() < 0.2


def test_building_networks_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    made_generator()
    Critic(CODES, SMALL, torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.get_rng_state())


def test_the_same_generator_argument_gives_the_same_network():
    one, other = (made_generator().state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_critic_embeds_codes_and_their_one_hot_weights_alike_as_unit_vectors():
    critic, codes = Critic(CODES, SMALL, torch.Generator().manual_seed(0)), some_rows()
    embedded = critic.embed(codes)
    torch.testing.assert_close(embedded, critic.embed_weights(one_hot(codes, torch.ones_like(codes, dtype=torch.bool))))
    lengths = embedded.view(len(codes), len(CODES), SMALL.critic_embedding).norm(dim=2)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))
    assert critic(embedded).shape == (len(codes),)


def test_neighbours_of_an_ordered_code_share_and_labels_do_not():
    table = CodeTable(CODES, 8, 1.0, torch.Generator().manual_seed(0))
    weights = table.basis.to_dense()
    assert (weights[:4] == 0).all()  # labels
    assert (weights[4] == 0).all()  # the missing price
    prices = weights[5:44]
    hats, score = prices[:, :-1], prices[:, -1]
    # Hat functions add up to one at each of the two resolutions.
    assert hats.sum(dim=1).tolist() == pytest.approx([2.0] * 39)
    overlap = hats @ hats.T
    assert overlap[0, 1] > overlap[0, 5] > overlap[0, 38] == 0
    assert (score.diff() > 0).all()
    assert score[19].item() == pytest.approx(0)  # the middle one of 39 prices


def test_products_in_bfloat16_change_logits_and_gradients_by_little():
    generator, codes = made_generator(), some_rows()
    known = torch.tensor([[True, False, True]])
    found = []
    for precision in (torch.float32, torch.bfloat16):
        logits = generator.multiply_in(precision)(codes, known).clamp(min=-20)
        found.append((logits, torch.autograd.grad(logits.logsumexp(dim=1).mean(), generator.values.own)[0]))
    for exact, rough in zip(*found, strict=True):
        assert rough.dtype == torch.float32
        assert not torch.equal(exact, rough)
        assert (exact - rough).abs().max() < 0.02 * exact.abs().max()
