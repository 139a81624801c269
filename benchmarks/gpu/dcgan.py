"""A step of one DCGAN on 64x64 colour images against plain PyTorch modules, and ten at once against one by one."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from blocks import DCGAN
from components import build, draw
from timing import Bench, Row
from torch import Tensor, nn

from competitive_mixtures.networks.gan import GANStack


def benchmark_dcgan(bench: Bench) -> Iterator[Row]:
    """A step of one DCGAN on 64x64 colour images against plain PyTorch modules, and ten at once against one by one."""
    batch, shape, device = (64, (3, 64, 64), str(bench.device)) if bench.seconds > 1 else (2, (3, 64, 64), "cpu")
    stack = build(GANStack, DCGAN, shape, range(1), device)
    x, noise = draw(bench, stack, batch)
    reference = make_plain_dcgan(bench, x[0])
    ours, theirs = bench.time(lambda: stack.step(x, noise)), bench.time(reference)
    notes = (
        f"batch {batch}, {stack.num_parameters:,} parameters, {batch / ours:,.0f} images/s; against torch.nn modules"
    )
    yield bench.row("dcgan_step", ours, theirs, notes)
    if bench.device.type == "cuda":
        many = build(GANStack, DCGAN, shape, range(10), device)
        points, draws = draw(bench, many, batch)
        stacked = bench.time(lambda: many.step(points, draws))
        yield bench.row("dcgan_step_10_stacked", stacked, 10 * ours, "ten at once against ten times one")


def make_plain_dcgan(bench: Bench, x: Tensor) -> Callable[[], None]:
    """A step of the same networks as a user of torch.nn would write them, running mean included."""
    from torch.nn.utils.parametrizations import spectral_norm
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    upwards, downwards = [512, 256, 128, 64, 32], [3, 64, 128, 256, 512]
    layers: list[nn.Module] = [nn.Linear(100, 512 * 16), nn.Unflatten(1, (512, 4, 4)), nn.BatchNorm2d(512), nn.ReLU()]
    for inputs, outputs in pairwise(upwards):
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    generator = nn.Sequential(*layers, nn.Conv2d(32, 3, 3, 1, 1), nn.Sigmoid()).to(bench.device)
    layers = []
    for inputs, outputs in pairwise(downwards):
        layers += [spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1)), nn.LeakyReLU(0.2)]
    critic = nn.Sequential(*layers, nn.Flatten(), spectral_norm(nn.Linear(512 * 16, 1))).to(bench.device)
    average = AveragedModel(generator, multi_avg_fn=get_ema_multi_avg_fn(0.999))
    optimizers = [torch.optim.Adam(m.parameters(), 2e-4, (0.5, 0.999), fused=True) for m in (generator, critic)]
    latents = torch.randn(2, len(x), 100, device=bench.device)
    softplus = nn.functional.softplus

    def step() -> None:
        optimizers[1].zero_grad()
        with torch.no_grad():
            fake = generator(latents[0])
        (softplus(-critic(x)).mean() + softplus(critic(fake)).mean()).backward()
        optimizers[1].step()
        optimizers[0].zero_grad()
        softplus(-critic(generator(latents[1]))).mean().backward()
        optimizers[0].step()
        average.update_parameters(generator)

    return step
