"""Seconds of a step, bytes that it moves, rows of the table."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Row = dict[str, str | float]


class Bench:
    """Where and how long to time.

    Args:
        device: of all tensors.
        seconds: for one timing.
        num_points: images of the round's data set.
        num_steps: of the shortened round.
    """

    def __init__(self, device: str, seconds: float, num_points: int, num_steps: int) -> None:
        self.device = torch.device(device)
        self.seconds, self.num_points, self.num_steps = seconds, num_points, num_steps
        self.start = time.perf_counter()
        on_gpu = self.device.type == "cuda"
        self.name = f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}" if on_gpu else "cpu"
        self.bandwidth = self.measure_bandwidth()

    def wait(self) -> None:
        """Wait until the device has done all that it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def time(self, step: Callable[[], object]) -> float:
        """Seconds of one call: the median of three stretches after a warm-up."""
        for _ in range(3):
            step()
        self.wait()
        start = time.perf_counter()
        step()
        self.wait()
        count = max(1, int(self.seconds / 3 / (time.perf_counter() - start)))
        stretches = []
        for _ in range(3):
            start = time.perf_counter()
            for _ in range(count):
                step()
            self.wait()
            stretches.append((time.perf_counter() - start) / count)
        return statistics.median(stretches)

    def measure_bandwidth(self) -> float:
        """Bytes a second that a copy reads and writes."""
        source = torch.zeros(2**28 if self.device.type == "cuda" else 2**24, device=self.device)
        target = torch.empty_like(source)
        return 2 * source.nbytes / self.time(lambda: target.copy_(source))

    def row(self, name: str, ours: float, reference: float | None, notes: str) -> Row:
        """A row of the table."""
        compared = {} if reference is None else {"reference_s": f"{reference:.6f}", "ratio": round(reference / ours, 2)}
        return {"name": name, "device": self.name, "ours_s": f"{ours:.6f}", **compared, "notes": notes}


class TrafficCount(TorchDispatchMode):
    """Counts the bytes that kernels read and write when none is fused with another."""

    def __init__(self) -> None:
        super().__init__()
        self.num_bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation; a view moves nothing."""
        result = func(*args, **(kwargs or {}))
        inputs = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        storages = {tensor.untyped_storage().data_ptr() for tensor in inputs}
        is_view = any(tensor.untyped_storage().data_ptr() in storages for tensor in outputs)
        if func._schema.is_mutable or not is_view:
            self.num_bytes += sum(tensor.nbytes for tensor in inputs + outputs)
        return result
