"""Between full rounds a point is scored by its candidates only: the winner and the runner-up of the last full round."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Candidates:
    """The two components that score each point, and what the others are taken to contribute to Z_j.

    Scores by candidates are one long list: of component 0 at the points that have it as a candidate, in their order, of
    component 1, and so on. So each network scores one batch of points, and the lists of shards only have to be joined.

    Attributes:
        numbers: (N, 2) int16, the candidates of each point, the lower number first, which wins a tie.
        log_rest: (k,) float64, log of the sum of r_j over the points that have others as candidates, in the last full
            round.
    """

    numbers: Tensor
    log_rest: Tensor

    @cached_property
    def order(self) -> Tensor:
        """Places in the flattened `numbers`, by component and then by point, (2N,) int64."""
        return self.numbers.flatten().argsort(stable=True)

    @cached_property
    def counts(self) -> list[int]:
        """Points of each component, k numbers."""
        return torch.bincount(self.numbers.flatten().int(), minlength=len(self.log_rest)).tolist()

    def list_points(self, ids: Sequence[int]) -> list[Tensor]:
        """Positions (n_j,) int64 of the points that each component of `ids` is a candidate for."""
        positions = (self.order // 2).split(self.counts)
        return [positions[j] for j in ids]

    def to_list(self, table: Tensor) -> Tensor:
        """The list (2N,) of a table (N, 2), which has a value for each entry of `numbers`."""
        return table.flatten()[self.order]

    def to_table(self, values: Tensor) -> Tensor:
        """The table (N, 2) of a list (2N,)."""
        table = torch.empty_like(values)
        table[self.order] = values
        return table.view(-1, 2)

    def sum_listed(self, log_ratios: Tensor) -> Tensor:
        """Log of the sum of r_j over the points that have j as a candidate, (k,) float64, of a list (2N,) of log r."""
        return torch.stack([part.double().logsumexp(0) for part in log_ratios.split(self.counts)])
