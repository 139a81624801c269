"""Early stopping of a training: a component trains on most of its cell, and keeps the weights that suit the rest best.

That of the rounds is the estimator's (`estimator.best_round`).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from competitive_mixtures.method.batches import to_float
from competitive_mixtures.networks.stack import is_shared
from competitive_mixtures.networks.vae import VAEStack
from competitive_mixtures.seeding import StreamKey, make_generator, make_generators

LOOK_INTERVAL = 50  # steps between two looks at the held-out points
PATIENCE = 6  # looks without a gain before a training ends
NUM_DRAWN = 256  # of each component's held-out points, drawn with replacement: each meets several noise draws
MIN_POINTS = 2  # trained on and held out; smaller cells are not divided
EVERY = 4  # of a cell with fewer held out every fourth point is


def choose_held_out(num_points: int, share: float, key: StreamKey) -> Tensor | None:
    """Which points are held out, (N,) bool: the same ones in all rounds; None for a share of 0.

    No component trains on them, but one whose cell has too few of them, or of the others (`divide_cell`).
    """
    if not share:
        return None
    return torch.rand(num_points, generator=make_generator(*key, "held out"), dtype=torch.float32) < share


def divide_cell(cell: Tensor, held_out: Tensor) -> tuple[Tensor, Tensor]:
    """Positions to train on and positions held out, of a small cell its own; one too small for both is given twice.

    A small cell may have none of the points that are held out of all, and would look at what it trains on.

    Args:
        cell: (n,) int64, positions of a component's points.
        held_out: (N,) bool, see `choose_held_out`.

    Returns:
        Two int64 tensors of positions.
    """
    chosen = held_out[cell]
    if min(int(chosen.sum()), int((~chosen).sum())) < MIN_POINTS:
        chosen = torch.arange(len(cell), device=cell.device) % EVERY == 0
    enough = min(int(chosen.sum()), int((~chosen).sum())) >= MIN_POINTS
    return (cell[~chosen], cell[chosen]) if enough else (cell, cell)


class EarlyStopping:
    """The best weights so far of every VAE of a stack, by the evidence bound of points that it does not train on.

    Args:
        stack: in training.
        ids: numbers of its components.
        points: (N, *shape), float32 or uint8.
        cells: of every component, the positions of its held-out points.
        key: of the random streams.
    """

    def __init__(
        self, stack: VAEStack, ids: Sequence[int], points: Tensor, cells: Sequence[Tensor], key: StreamKey
    ) -> None:
        self.stack = stack
        streams = make_generators(*key, "held out", components=ids, device=points.device)
        draws = [
            cell[torch.randint(len(cell), (NUM_DRAWN,), generator=stream, device=points.device)]
            for cell, stream in zip(cells, streams, strict=True)
        ]
        self.points = to_float(points[torch.stack(draws)])
        self.noise = stack.draw_noise(streams, 1, NUM_DRAWN)[0]
        self.best_losses = self._measure()
        self.best_state = {name: tensor.clone() for name, tensor in stack.state().items()}
        self.looks_without_gain = 0

    def is_settled(self, step: int) -> bool:
        """Look at the weights after a step; whether the training has gone on long enough without a gain."""
        if (step + 1) % LOOK_INTERVAL:
            return False
        losses = self._measure()
        better = losses < self.best_losses
        self.best_losses = torch.where(better, losses, self.best_losses)
        for name, tensor in self.stack.state().items():
            if not is_shared(name):
                self.best_state[name][better] = tensor[better]
        self.looks_without_gain = 0 if better.any() else self.looks_without_gain + 1
        return self.looks_without_gain >= PATIENCE

    def restore(self) -> None:
        """Give every component its best weights back."""
        for name, tensor in self.stack.state().items():
            if not is_shared(name):
                tensor.copy_(self.best_state[name])

    @torch.no_grad()
    def _measure(self) -> Tensor:
        return -self.stack.own_bounds(self.points, self.noise).mean(1)
