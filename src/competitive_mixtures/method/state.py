"""What passes from round to round, and its form as named tensors in a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import take_named
from competitive_mixtures.method.candidates import Candidates
from competitive_mixtures.method.run import Setup
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.discriminator import DensityRatioStack
from competitive_mixtures.networks.ensemble import Ensemble


@dataclass
class RoundState:
    """The networks and cells that a round, or the pretraining, leaves, and the next round starts from.

    Attributes:
        components: the generative models with their Adam states; a shard holds only its own.
        discriminators: those that scored the points; None before round 0, and where evidence bounds score.
        cells: for each of the k components the positions of the points that it trains on next, int64, (n_j,).
        revivals: pairs (donor, recipient) of component numbers that the next round starts with.
        candidates: of a round, who scored each point; then who scores it next. None where every component does.
    """

    components: Ensemble[ComponentStack]
    discriminators: Ensemble[DensityRatioStack] | None
    cells: list[Tensor]
    revivals: list[tuple[int, int]]
    candidates: Candidates | None = None


def pack_state(state: RoundState, *, keep_discriminators: bool) -> dict[str, Tensor]:
    """A state as named tensors, for a file.

    Args:
        state: of all components or of a shard's.
        keep_discriminators: whether the next round carries them on (`scoring.reset: false`).

    Returns:
        `components.*` and `discriminators.*` as the ensembles name them, `cells.<j>` (n_j,) int32, `revivals`
        (n, 2) int64, and where there are candidates `candidates.numbers` and `candidates.log_rest`.
    """
    tensors = {f"components.{name}": tensor for name, tensor in state.components.state().items()}
    if keep_discriminators and state.discriminators is not None:
        tensors |= {f"discriminators.{name}": tensor for name, tensor in state.discriminators.state().items()}
    tensors |= {f"cells.{j}": cell.cpu().int() for j, cell in enumerate(state.cells)}
    if state.candidates is not None:
        tensors |= {f"candidates.{name}": getattr(state.candidates, name) for name in ("numbers", "log_rest")}
    return tensors | {"revivals": torch.tensor(state.revivals, dtype=torch.int64).view(-1, 2)}


def unpack_state(setup: Setup, tensors: Mapping[str, Tensor], ids: Sequence[int] | None = None) -> RoundState:
    """The state that `pack_state` packed, on the run's device.

    Args:
        setup: of the run.
        tensors: of all components, or of those in `ids`.
        ids: components to hold; None takes all. Where revivals are due all are held, since a recipient becomes a copy
            of its donor.

    Raises:
        UserError: the tensors were written with other settings.
    """
    num_components = setup.experiment.num_components
    cells = take_named(tensors, "cells.")
    if len(cells) != num_components:
        raise UserError(
            f"state: found {len(cells)} components, the settings expect {num_components}; the state was written with "
            "other settings: run the steps before this one again"
        )
    revivals = [(donor, recipient) for donor, recipient in tensors["revivals"].tolist()]
    components = setup.build_components(None if revivals else ids)
    components.load(take_named(tensors, "components."))
    discriminators = None
    if carried := take_named(tensors, "discriminators."):
        discriminators = setup.build_discriminators(0, ids)
        discriminators.load(carried)
    chosen = take_named(tensors, "candidates.")
    candidates = Candidates(**chosen) if chosen else None
    cells_of = [cells[str(j)].long() for j in range(num_components)]
    return RoundState(components, discriminators, cells_of, revivals, candidates)
