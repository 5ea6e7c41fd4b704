"""Rows under conditions: some codes are known, some may take some values only, and the rest is drawn given them.

Codes that are known go in first: what is drawn after them follows p(rest | known). Restricted codes are drawn next, one
after the other, each from the values that are allowed to it. The first of them is right so; a further one would be
drawn as if the ones before it did not have to leave room for it, so more candidates than rows are drawn, weighed by the
probability that the further codes' restrictions had (importance sampling), and resampled.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from tabgan.device import fastest_precision
from tabgan.encoding.plan import Plan
from tabgan.errors import ConfigError
from tabgan.model.cooccurrence import split_by_dependence
from tabgan.model.generator import IMPOSSIBLE, NEVER, Generator, Tables
from tabgan.model.ratio import DensityRatio
from tabgan.sampling.chosen import CANDIDATES, chosen
from tabgan.sampling.exclusions import Exclusions
from tabgan.sampling.rounds import Rounds, draw
from tabgan.sampling.sampler import spread_uniforms

BEGUN = 8
"""So many rows are begun for each one where restrictions must be weighed."""


class ConditionedSampler:
    """Draws rows of codes given some of them, from a generator that knows every conditional."""

    def __init__(
        self,
        network: Generator,
        information: Tensor,
        exclusions: Exclusions,
        rounds: int,
        ratio: DensityRatio | None = None,
        *,
        complete: bool = False,
    ) -> None:
        """`information`: mutual information of the codes, `(codes, codes)`; `rounds`: for the codes that are free;
        `ratio`: by which each row is chosen among candidates; `complete`: whether no missing cell is drawn."""
        self.ratio, self.complete = ratio, complete
        self.network, self.information, self.exclusions, self.rounds = network, information, exclusions, rounds
        self.device = str(network.bias.device)
        self.tables = Tables(network, fastest_precision(self.device))

    @torch.inference_mode()
    def draw(self, rows: int, known: Mapping[int, Tensor], plan: Plan, rng: torch.Generator) -> Tensor:
        """`(rows, codes)` int64. `known`: codes that are given, `(rows,)` each."""
        if self.ratio is None:
            return self._drawn(rows, known, plan, rng)
        several = {code: values.repeat_interleave(CANDIDATES) for code, values in known.items()}
        candidates = self._drawn(rows * CANDIDATES, several, plan, rng)
        return chosen(candidates.view(rows, CANDIDATES, -1), self.ratio, rng)

    def _drawn(self, rows: int, known: Mapping[int, Tensor], plan: Plan, rng: torch.Generator) -> Tensor:
        count = self.network.layout.count
        if not count:  # nothing but keys and constants
            return torch.zeros(rows, 0, dtype=torch.long)
        restricted = [code for code in plan.order if code not in known]
        known = {code: values.to(self.device) for code, values in known.items()}
        if restricted:
            known |= self._restricted(rows, known, restricted, plan, rng)
        free = [code for code in range(count) if code not in known]
        walk = Rounds(self.tables, self.exclusions, known=known)
        groups = split_by_dependence(self.information[free][:, free], self.rounds) if free else []
        uniforms = spread_uniforms(rows, count, rng).to(self.device)
        for place in torch.randperm(len(groups), generator=rng).tolist():
            walk.look()
            walk.draw([free[each] for each in groups[place]], uniforms, self._take)
        return torch.stack([walk.drawn[code] for code in range(count)], dim=1).cpu()

    def _take(self, logits: Tensor, uniforms: Tensor, order: Tensor | None) -> Tensor:
        if self.complete and logits.shape[1] > 1:
            logits[:, 0] = NEVER
        return draw(logits, uniforms, order)

    def _restricted(
        self, rows: int, known: Mapping[int, Tensor], codes: list[int], plan: Plan, rng: torch.Generator
    ) -> dict[int, Tensor]:
        """The restricted codes, `(rows,)` each, distributed as in rows that fulfil all restrictions."""
        several = sum(int((plan.weights[code] > 0).sum()) > 1 for code in codes) > 1
        copies = BEGUN if several else 1
        known = {code: values.repeat_interleave(copies) for code, values in known.items()}
        walk = Rounds(self.tables, self.exclusions, known=known)
        uniforms = spread_uniforms(rows * copies, len(codes), rng).to(self.device)
        log_weights = torch.zeros(rows * copies, device=self.device)
        possible = torch.ones(rows * copies, dtype=torch.bool, device=self.device)
        for i, code in enumerate(codes):
            walk.look()
            logits = walk.logits(code)
            allowed = logits + self._log_weights(code, plan, walk.drawn)
            possible &= allowed.max(dim=1).values > IMPOSSIBLE / 2
            log_weights += allowed.logsumexp(dim=1) - logits.logsumexp(dim=1)
            walk.put(code, draw(allowed, uniforms[:, i : i + 1]))
        if not possible.any():
            names = sorted({condition.column.name for condition in plan.conditions})
            raise ConfigError(
                f"no row can fulfil all conditions together (on {', '.join(names)}): in the table that the model was "
                "fitted on such values never meet; drop or widen one of them."
            )
        log_weights[~possible] = -torch.inf
        drawn = {code: walk.drawn[code] for code in codes}
        if copies == 1 and bool(possible.all()):
            return drawn
        picked = resampled(log_weights.view(rows, copies), rng, together=not known)
        return {code: values[picked] for code, values in drawn.items()}

    def _log_weights(self, code: int, plan: Plan, drawn: Mapping[int, Tensor]) -> Tensor:
        found = self._log(plan.weights[code])
        for (a, b), allowed in plan.pairs.items():
            if b == code and a in drawn:
                found = found + self._log(allowed)[drawn[a]]
            elif a == code and b in drawn:
                found = found + self._log(allowed.T)[drawn[b]]
        return found

    def _log(self, shares: np.ndarray) -> Tensor:
        """The log of shares that are allowed, and what is as good as impossible where none is."""
        logs = torch.from_numpy(shares.astype(np.float64)).log().clamp(min=2 * IMPOSSIBLE)
        return logs.float().to(self.device)


def resampled(log_weights: Tensor, rng: torch.Generator, *, together: bool) -> Tensor:
    """Places of `(rows, copies)` candidates, `(rows,)`, drawn in proportion to their weights.

    Systematic resampling (Kitagawa 1996) over all candidates `together`; or each row among its own copies, for rows
    that are given something of their own."""
    rows, copies = log_weights.shape
    if together:
        weights = (log_weights.flatten() - log_weights.max()).exp().double().cpu()
        steps = (torch.arange(rows) + torch.rand(1, generator=rng, dtype=torch.double)) / rows
        places = torch.searchsorted(weights.cumsum(0), steps * weights.sum()).clamp(max=rows * copies - 1)
        order = torch.randperm(rows, generator=rng)  # neighbours are copies of one candidate
        return places[order].to(log_weights.device)
    best = log_weights.max(dim=1, keepdim=True).values
    if bool((best == -torch.inf).any()):
        raise ConfigError(
            "some of the given rows cannot fulfil the conditions; leave them out or widen the conditions."
        )
    picked = draw(log_weights, torch.rand(rows, 1, generator=rng).to(log_weights.device))
    return torch.arange(rows, device=log_weights.device) * copies + picked
