"""Every default, written once."""

from __future__ import annotations

from dataclasses import dataclass

from tabgan.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """How large the networks are."""

    width: int = 256
    """Width of the generator's trunk."""
    blocks: int = 3
    """Residual blocks of the trunk."""
    noise: int = 64
    """Numbers in the noise vector `z` that ties columns drawn in the same round."""
    critic_width: int = 256
    """Width of the critic's two hidden layers."""
    critic_embedding: int = 16
    """Numbers that a code is embedded in before the critic sees it."""

    def __post_init__(self) -> None:
        for name in ("width", "blocks", "noise", "critic_width", "critic_embedding"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; use 1 or more.")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the networks are trained."""

    holdout_share: float = 0.1
    """Share of the rows that is held back to decide when to stop and what to keep."""
    holdout_rows: int = 5_000
    """At most so many rows are held back."""
    batch_rows: int = 512
    """Rows of a batch of the warm-up; fewer for tables of a few thousand rows."""
    warmup_steps: int = 6_000
    """At most so many steps of the warm-up."""
    warmup_epochs: int = 60
    """At most so many times the warm-up sees every row."""
    warmup_budget: float = 110.0
    """Seconds that the warm-up may take on one CPU core, by an estimate from the table's shape and not by a clock, so
    that a table gets the same steps whenever it is fitted. A CPU that multiplies in float32 alone has a share of
    this, of the other budgets and of `warmup_epochs` (`training/schedule.py`)."""
    learning_rate: float = 1.5e-3
    """Of the warm-up, but for `trunk_learning_rate`; for tables of 30,000 rows and more, less for smaller ones. It
    falls along a half cosine."""
    trunk_learning_rate: float = 0.05
    """Of the matrices between hidden layers, the generator's and, in the game, the critic's: how far a step goes in
    each of their directions. In the warm-up it falls alike."""
    weight_decay: float = 0.3
    """Decoupled weight decay of the warm-up (AdamW), but for the trunk, which has none."""
    ema_half_life_rows: int = 50_000
    """Rows seen until the average of the weights has forgotten half."""
    evaluate_every: int = 250
    """Steps between two looks at the held-out rows."""
    tolerance: float = 0.01
    """Weights are kept whose held-out loss is not above the lowest one by more than this share."""
    patience: int = 3
    """Looks at worse weights, one after the other, until the warm-up comes to its end."""
    folds: int = 5
    """Networks that each lack another part of a small table's rows and teach the one that is kept; 1 for none."""
    folds_rows: int = 2_000
    """A table of more rows than this is learned by one network from the rows."""
    folds_budget: float = 300.0
    """And so is one for which the networks would take more than so many seconds on one CPU core, by the same kind of
    estimate."""
    all_hidden_share: float = 0.1
    """Share of the warm-up's rows of which nothing is shown."""

    game_steps: int = 1_800
    """At most so many generator updates in the adversarial game; 0 leaves the game out."""
    game_epochs: int = 40
    """At most so many times the game makes as many rows as the table has."""
    game_budget: float = 45.0
    """Seconds that the game may take on one CPU core, by the same kind of estimate."""
    game_rounds: int = 3
    """In the game the generator makes its rows in two rounds to this many (or in one, if this is one)."""
    game_batch_rows: int = 500
    """Rows of a batch of the game; fewer for tables of a few thousand rows."""
    game_evaluate_every: int = 150
    """Generator updates between two looks at the held-out rows."""
    critic_steps: int = 1
    """Critic updates for each generator update (`n_critic` in the paper, which uses 5)."""
    critic_head_start: int = 100
    """Critic updates before the first update of the generator."""
    penalty_weight: float = 1.0
    """Weight of the gradient penalty (lambda in the paper, which uses 10)."""
    penalty_every: int = 2
    """The penalty is added at every so many-th critic update, as many times heavier."""
    game_learning_rate: float = 6e-4
    """Of the generator in the game, but for `trunk_learning_rate`; the critic's is twice as high."""
    critic_weight: float = 1.0
    """Weight of the critic's score in the generator's loss."""
    cooccurrence_weight: float = 1.0
    """Weight of the distance between the pairwise co-occurrence tables of real and made rows."""
    masked_weight: float = 0.3
    """Weight of the warm-up's loss in the game."""
    temperature: float = 0.7
    """Of the soft draws through which the gradient passes."""

    rounds: int | None = None
    """Rounds in which rows are drawn by default; None to choose them from the table."""

    def __post_init__(self) -> None:
        if not 0 < self.holdout_share < 0.5:
            raise ConfigError(
                f"holdout_share is {self.holdout_share}; use a number above 0 and below 0.5, such as 0.1."
            )
        for name in (
            "batch_rows",
            "game_batch_rows",
            "critic_steps",
            "game_rounds",
            "penalty_every",
            "evaluate_every",
            "folds",
            "game_evaluate_every",
            "patience",
        ):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; use 1 or more.")
        for name in ("warmup_steps", "warmup_epochs", "game_steps", "game_epochs"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; use 0 or more.")
        if self.rounds is not None and self.rounds < 1:
            raise ConfigError(f"rounds is {self.rounds}; use 1 or more, or None.")
        for name in ("learning_rate", "trunk_learning_rate", "game_learning_rate", "temperature"):
            if not 0 < getattr(self, name) <= 10:
                raise ConfigError(f"{name} is {getattr(self, name)}; use a small number above 0.")
