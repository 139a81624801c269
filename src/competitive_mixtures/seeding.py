"""Named random generators: each stream is a function of the run's seed and of what it is for."""

import hashlib
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

StreamKey = tuple[int, *tuple[object, ...]]
"""What names a stream: the run's seed, then words and numbers that say what it is for, say `(0, "round", 3)`."""


def derive_seed(seed: int, *names: object) -> int:
    """A 63-bit seed from a stream's key, the same on every machine.

    Args:
        seed: the run's seed, at least 0.
        names: what the stream is for, say `"round", 3, "component", 0`.
    """
    digest = hashlib.sha256("/".join(map(str, (seed, *names))).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def make_generator(seed: int, *names: object, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator for one stream; see `derive_seed`."""
    return torch.Generator(device=device).manual_seed(derive_seed(seed, *names))


def make_generators(
    seed: int, *names: object, components: "Iterable[int]", device: torch.device | str = "cpu"
) -> list[torch.Generator]:
    """One generator a component, so that a component's stream does not depend on who trains beside it."""
    return [make_generator(seed, *names, "component", j, device=device) for j in components]
