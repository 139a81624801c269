"""A step of 15 convolutional VAEs: one by one, as one stack, as one CUDA graph, compiled."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from blocks import BATCH, VAE, K
from pydantic import TypeAdapter
from timing import Bench, Row, TrafficCount
from torch import Tensor

from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.vae import VAEStack
from competitive_mixtures.seeding import make_generators
from competitive_mixtures.settings import schema
from competitive_mixtures.settings.messages import validate

LAST_COMPILE_S = 120  # a compilation takes up to a minute and cannot be stopped: none is started later


def build(kind: type[ComponentStack], block: dict[str, Any], shape: tuple[int, ...], ids: range, device: str) -> Any:
    """A stack of some of the networks."""
    settings = validate(TypeAdapter(schema.Component), block, "benchmark")
    return kind(settings, shape, make_generators(0, "benchmark", components=ids), device=device)


def draw(bench: Bench, stack: Any, batch: int) -> tuple[Tensor, Tensor]:
    """Points in [0, 1] and noise for one step of a stack."""
    rows = batch * stack.batches_per_step
    x = torch.rand(stack.count, rows, *stack.shape, device=bench.device)
    streams = make_generators(0, "noise", components=range(stack.count), device=bench.device)
    return x, stack.draw_noise(streams, 1, batch)[0]


def record_step(stack: Any, x: Tensor, noise: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """The stack's step as one CUDA graph, which the host launches at once; the stack stays as it is."""
    state = {name: tensor.clone() for name, tensor in stack.state().items()}
    x, noise = x.clone(), noise.clone()
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            stack.step(x, noise)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        losses = stack.step(x, noise)
    stack.load(state)

    def step(batch: Tensor, batch_noise: Tensor) -> Tensor:
        x.copy_(batch)
        noise.copy_(batch_noise)
        graph.replay()
        return losses

    return step


def benchmark_components(bench: Bench) -> Iterator[Row]:
    """A step of 15 convolutional VAEs: one by one, as one stack, as one CUDA graph."""
    device, shape = str(bench.device), (1, 28, 28)
    ones = [build(VAEStack, VAE, shape, range(j, j + 1), device) for j in range(K)]
    stack = build(VAEStack, VAE, shape, range(K), device)
    x, noise = draw(bench, stack, BATCH)

    def step_one_by_one() -> None:
        for j, one in enumerate(ones):
            one.step(x[j : j + 1], noise[j : j + 1])

    with TrafficCount() as traffic:
        stack.step(x, noise)

    def describe(seconds: float) -> str:
        share = traffic.num_bytes / seconds / bench.bandwidth
        return (
            f"{K} x {stack.num_parameters // K:,} weights, batch {BATCH}: {K * BATCH / seconds:,.0f} a second; "
            f"{traffic.num_bytes / 1e6:.0f} MB a step unfused: {share:.0%} of {bench.bandwidth / 1e9:,.0f} GB/s"
        )

    loop = bench.time(step_one_by_one)
    yield bench.row("vae_step_one_by_one", loop, None, describe(loop))
    stacked = bench.time(lambda: stack.step(x, noise))
    yield bench.row("vae_step_stacked", stacked, loop, describe(stacked) + "; against one by one")
    if bench.device.type == "cuda":
        torch.use_deterministic_algorithms(False)
        free = bench.time(lambda: stack.step(x, noise))
        torch.use_deterministic_algorithms(True, warn_only=True)
        yield bench.row("vae_step_stacked_any_kernels", free, loop, "kernels need not be deterministic")
        yield compare_graph(bench, stack, x, noise, loop, describe)


def compare_graph(
    bench: Bench, stack: Any, x: Tensor, noise: Tensor, loop: float, describe: Callable[[float], str]
) -> Row:
    """The recorded step's time, and whether it does what the step does."""
    step = record_step(stack, x, noise)
    state = {name: tensor.clone() for name, tensor in stack.state().items()}
    losses = step(x, noise).clone()
    after = {name: tensor.clone() for name, tensor in stack.state().items()}
    stack.load(state)
    same = torch.equal(losses, stack.step(x, noise))
    same &= all(torch.equal(tensor, after[name]) for name, tensor in stack.state().items())
    graph = bench.time(lambda: step(x, noise))
    return bench.row(
        "vae_step_graph", graph, loop, describe(graph) + f"; against one by one; the same bytes as a plain step: {same}"
    )


def benchmark_compiled(bench: Bench) -> Iterator[Row]:
    """A step of 15 convolutional VAEs whose losses go through torch.compile, against the plain stack."""
    if time.perf_counter() - bench.start > LAST_COMPILE_S or bench.device.type != "cuda":
        yield {"name": "vae_step_compiled", "device": bench.name, "notes": "not run: no time left, or no GPU"}
        return
    stack = build(VAEStack, VAE, (1, 28, 28), range(K), str(bench.device))
    x, noise = draw(bench, stack, BATCH)
    plain = bench.time(lambda: stack.step(x, noise))
    start = time.perf_counter()
    try:
        stack.losses = torch.compile(stack.losses)
        stack.step(x, noise)
        compiled = bench.time(lambda: stack.step(x, noise))
    except Exception as error:  # a missing C compiler, or a PyTorch without Triton
        reason = " ".join(str(error).split())[:200]
        yield {"name": "vae_step_compiled", "device": bench.name, "notes": f"not run: {type(error).__name__}: {reason}"}
        return
    notes = f"against the plain stack; {time.perf_counter() - start:.0f} s with the compilation"
    yield bench.row("vae_step_compiled", compiled, plain, notes)
