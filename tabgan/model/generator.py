"""The generator: the codes that are known -> logits over the others. Its condition is any subset of the row."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from tabgan.config import ModelConfig
from tabgan.encoding.base import Code
from tabgan.model.copula import Copula, Solution, in_turn
from tabgan.model.embedding import CodeTable, Layout
from tabgan.model.ties import Tie, Ties

IMPOSSIBLE, NEVER = -1e4, -1e6
"""What is added to the logit of a value that another one excludes, and of one that the table does not hold: where the
values of other columns exclude all that it holds, one of these is drawn all the same."""

MOST_SOLVED = 20_000_000
"""Numbers in the solutions of the copula that are kept while rows are drawn, at most, and in what ties rounds."""


class Solved:
    """What the copula says once some codes are known: of the others, and of what ties those of a round."""

    def __init__(self) -> None:
        self._solutions: dict[bytes, Solution] = {}
        self._ties: dict[tuple[bytes, tuple[int, ...]], Tie | None] = {}
        self._on_cpu: tuple[Copula, Ties] | None = None

    def solution(self, network: Generator, known: bytes) -> Solution:
        """What the known codes, a byte each, say of numbers; the same codes are often known again."""
        if known not in self._solutions:
            if len(self._solutions) * network.copula.solution_size > MOST_SOLVED:
                self._solutions.clear()
            mask = torch.tensor([list(known)], dtype=torch.bool, device=network.bias.device)
            self._solutions[known] = network.copula.solve(mask).first()
        return self._solutions[known]

    def tie(self, network: Generator, known: bytes, codes: Sequence[int]) -> Tie | None:
        """What ties the codes of a round; None where nothing does."""
        key = known, tuple(codes)
        if key not in self._ties:
            if len(self._ties) * len(known) ** 2 > MOST_SOLVED:
                self._ties.clear()
            device = network.bias.device
            if self._on_cpu is None:  # a tie is a dozen tiny steps, which a GPU would take ten times as long for
                parts = network.copula, network.ties
                self._on_cpu = parts if device.type == "cpu" else copy.deepcopy(parts)
                for part in self._on_cpu:
                    part.cpu()
            copula, ties = self._on_cpu
            found = ties.of(copula, known, codes)
            self._ties[key] = None if found is None else found.on(device)
        return self._ties[key]


class Tables:
    """What drawing reads of a generator, worked out once from its weights as they are now."""

    def __init__(
        self,
        network: Generator,
        precision: torch.dtype | None = None,
        solved: Solved | None = None,
        offsets: Tensor | None = None,
    ) -> None:
        """`precision`: of the products, for drawing without gradients; by default that of the network. `solved`: what
        other tables of the same copula have solved, which is added to. `offsets`: added to all logits, `(total,)`."""
        self.network = network
        self.nothing = network.unknown.sum(dim=0)
        """What the trunk reads where no code is known, `(width,)`."""
        self.values = network.values.rows() - network.unknown.index_select(0, network.owner)
        """What it reads more of each value that is, `(total, width)`."""
        # Split and not sliced where it is used: the gradient of a slice is as large as the whole.
        sizes = network.layout.cardinalities
        self.values_of = self.values.split(sizes)
        self.heads_of = network.heads.rows().to(precision or network.precision).split(sizes)
        bias = network.bias + network.impossible
        self.bias_of = (bias if offsets is None else bias + offsets).split(sizes)
        self.layers = network.layers if precision is None else _copied(network.layers, precision)
        self._precision = precision or torch.float32
        self._solved = solved or Solved()

    def features(self, x: Tensor, z: Tensor | None) -> Tensor:
        """What the heads read, `(rows, width)`, of the sum of `nothing` and the values, `(rows, width)`."""
        return self.network.trunk(x, z, self.layers, self._precision).to(self.heads_of[0].dtype)

    def solution(self, known: bytes) -> Solution:
        """As `Solved.solution`."""
        return self._solved.solution(self.network, known)

    def tie(self, known: bytes, codes: Sequence[int]) -> Tie | None:
        """As `Solved.tie`."""
        return self._solved.tie(self.network, known, codes)


def _copied(layers: Sequence[nn.Module], precision: torch.dtype) -> list[nn.Module]:
    """The layers with weights of `precision`, which are not converted again at every product."""
    found = [copy.deepcopy(layer).to(precision) for layer in layers]
    _multiply_in(found, precision)
    return found


def _multiply_in(layers: Iterable[nn.Module], precision: torch.dtype) -> None:
    for layer in layers:
        if isinstance(layer, Block):
            layer.precision = precision


class Generator(nn.Module):
    """A residual MLP over the sum of the embedded known codes, and one head a code, on top of a Gaussian copula.

    Rows come in as `(rows, codes)` int64 with a mask of what is known; logits go out as `(rows, total)`.
    """

    def __init__(
        self,
        codes: Sequence[Code],
        frequencies: Tensor,
        config: ModelConfig,
        rng: torch.Generator,
        copula: Copula | None = None,
    ) -> None:
        """`frequencies`: `(total,)`, how often each value occurs in the training table; the heads start from it.
        `copula`: what they start from besides, if not from a new one."""
        super().__init__()
        self.layout = Layout([code.cardinality for code in codes])
        self.copula = copula or Copula(codes, frequencies)
        self.ties = Ties(self.copula)
        width = config.width
        self.noise = config.noise
        self.precision = torch.float32
        self.values = CodeTable(codes, width, 1.0, rng)
        self.unknown = nn.Parameter(torch.randn(len(codes), width, generator=rng))
        self.from_noise = nn.Parameter(torch.randn(config.noise, width, generator=rng) / config.noise**0.5)
        self.blocks = nn.ModuleList(Block(width, rng) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.heads = CodeTable(codes, width, 0.1 * width**-0.5, rng)
        self.bias = nn.Parameter(frequencies.clamp(min=1e-9).log())
        self.register_buffer("frequencies", frequencies.float())
        self.register_buffer("impossible", torch.where(frequencies > 0, 0.0, NEVER))
        starts, sizes = torch.tensor(self.layout.starts), torch.tensor(self.layout.cardinalities, dtype=torch.long)
        self.register_buffer("starts", starts, persistent=False)
        self.register_buffer("owner", torch.repeat_interleave(sizes), persistent=False)

    frequencies: Tensor
    impossible: Tensor
    starts: Tensor
    owner: Tensor
    """The code of each value, `(total,)`."""

    def start_from(self, codes: Tensor) -> None:
        """Fit what is not trained, the copula and the ties of rounds, to `(rows, codes)`."""
        self.copula.fit(codes)
        self.ties.fit(self.copula, self.frequencies)

    def multiply_in(self, precision: torch.dtype) -> Generator:
        """Multiply in `precision`; weights, sums and what is learned stay in float32."""
        self.precision = precision
        _multiply_in(self.blocks, precision)
        return self

    def forward(self, codes: Tensor, known: Tensor, z: Tensor | None = None) -> Tensor:
        """Logits `(rows, total)` given `(rows, codes)` int64 and which of them are known, `(masks, codes)` bool: row i
        has mask i modulo their number."""
        features = self.trunk(self.embed(codes, in_turn(known, len(codes))), z)
        # A column a row, so that the logits of a code lie together.
        products = self.heads.rows().to(self.precision) @ features.T.to(self.precision)
        logits = products.float() + (self.bias + self.impossible)[:, None]
        return (logits + self.copula.gains(self.copula.of_rows(codes, known)).T).T

    def embed(self, codes: Tensor, known: Tensor) -> Tensor:
        """The sum of the vectors of known codes and of the marks of unknown ones, `(rows, width)`."""
        unknown = self.layout.total + torch.arange(self.layout.count, device=codes.device)
        index = torch.where(known, codes + self.starts, unknown)
        table = torch.cat([self.values.rows(), self.unknown])
        embedded: Tensor = nn.functional.embedding_bag(index, table, mode="sum")
        return embedded

    @property
    def layers(self) -> list[nn.Module]:
        """The layers of the trunk."""
        return [*self.blocks, self.norm]

    @property
    def hidden(self) -> list[nn.Parameter]:
        """The matrices between the trunk's layers, all of one shape."""
        return [weight for weight in self.blocks.parameters() if weight.ndim > 1]

    def trunk(
        self,
        x: Tensor,
        z: Tensor | None = None,
        layers: Sequence[nn.Module] | None = None,
        precision: torch.dtype = torch.float32,
    ) -> Tensor:
        """`(rows, width)` to the features that the heads read, `(rows, width)`; `layers`: its own or copies of them.
        With copies in `precision` nothing is converted between."""
        x = x * self.layout.count**-0.5
        if z is not None:
            x = x + z @ self.from_noise
        x = x.to(precision)
        for layer in layers or self.layers:
            x = layer(x)
        return x


class Block(nn.Module):
    """x + W2 silu(W1 norm(x)); W2 starts at zero, so that a new network passes its input on."""

    def __init__(self, width: int, rng: torch.Generator) -> None:
        super().__init__()
        self.precision = torch.float32
        self.norm = nn.LayerNorm(width)
        self.inner = linear(width, width, rng)
        self.outer = linear(width, width, rng)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """`(rows, width)` to `(rows, width)`."""
        y = nn.functional.silu(_affine(self.norm(x), self.inner, self.precision))
        y = _affine(y, self.outer, self.precision)
        return x.add_(y) if torch.is_inference_mode_enabled() else x + y  # without gradients no one reads x again


def _affine(x: Tensor, layer: nn.Linear, precision: torch.dtype) -> Tensor:
    return nn.functional.linear(x.to(precision), layer.weight.to(precision), layer.bias.to(precision))


def linear(inputs: int, outputs: int, rng: torch.Generator) -> nn.Linear:
    """A linear layer that takes its first weights from `rng` (Kaiming uniform) and leaves the global state alone."""
    layer: nn.Linear = torch.nn.utils.skip_init(nn.Linear, inputs, outputs)
    bound = (3 / inputs) ** 0.5
    with torch.no_grad():
        layer.weight.copy_((torch.rand(outputs, inputs, generator=rng) * 2 - 1) * bound)
        layer.bias.zero_()
    return layer
