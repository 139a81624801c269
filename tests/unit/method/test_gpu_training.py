"""Training on a GPU: no step waits for the host, back-ends agree, and the same seed gives the same table."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from examples import (
    CONV,
    CONV_GAN,
    CONV_VAE,
    GAN,
    MLP,
    VAE,
    WASSERSTEIN,
    change,
    make_blobs,
    make_experiment,
    make_images,
    play,
)

from competitive_mixtures.files.formats import read_table
from competitive_mixtures.method.batches import draw_batches, draw_comparisons
from competitive_mixtures.method.device import choose_kernels
from competitive_mixtures.method.run import Run
from competitive_mixtures.settings.schema import Experiment

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]
TABLE = "assignments.parquet"
KINDS = {
    "vae": ([VAE], MLP, make_blobs),
    "gan": ([GAN], MLP, make_blobs),
    "wgan": ([change(GAN, loss=WASSERSTEIN, critic_steps=2)], MLP, make_blobs),
    "mixed": ([VAE, GAN], MLP, make_blobs),
    "conv vae": ([CONV_VAE], CONV, make_images),
    "conv gan": ([CONV_GAN], CONV, make_images),
    "conv wgan": ([change(CONV_GAN, loss=WASSERSTEIN)], CONV, make_images),
}


def make_cuda_experiment(name: str, backend: str = "stacked") -> Experiment:
    components, network, _ = KINDS[name]
    changes = {"components": components, "scoring": {"network": network}, "training": {"backend": backend}}
    return make_experiment(device="cuda", baselines=[], **changes)


@contextmanager
def forbid_waiting() -> Iterator[None]:
    """Raise where the host would wait for the GPU."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def take_steps(run: Run) -> None:
    """A few steps of every component and of every discriminator."""

    components = run.build_components()
    discriminators = run.build_discriminators(0)
    cells = list(torch.arange(len(run.train), device=run.device).tensor_split(len(components.ids)))
    for ids, stack in components.stacks:
        own = [cells[j] for j in ids]
        for _ in range(2):  # the first time loads kernels
            batches = draw_batches(stack, ids, run.train, own, num_steps=3, batch_size=8, key=(0, "test"))
            with forbid_waiting():
                for batch, noise in batches:
                    stack.step(batch, noise)
    for ids, stack in discriminators.stacks:
        comparisons = draw_comparisons(components, ids, run.train, num_steps=3, batch_size=8, key=(0, "test"))
        with forbid_waiting():
            for real, fake in comparisons:
                stack.step(real, fake)


@pytest.mark.parametrize("name", KINDS)
def test_no_step_waits_for_the_host(name: str) -> None:
    take_steps(Run(make_cuda_experiment(name), KINDS[name][2](), 0))


@pytest.mark.parametrize("name", KINDS)
def test_back_ends_assign_alike(name: str, tmp_path: Path) -> None:
    tables = [
        read_table(play(make_cuda_experiment(name, backend), KINDS[name][2](), tmp_path / backend, rounds=0) / TABLE)
        for backend in ("stacked", "loop")
    ]
    assert (tables[0]["component"] == tables[1]["component"]).mean() > 0.95  # up to rounding


@pytest.fixture
def kernels_of_a_job() -> Iterator[None]:
    """What a job of the pipeline sets; a kernel that is not deterministic warns, which fails the test."""
    choose_kernels(1)
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_float32_matmul_precision("highest")


@pytest.mark.usefixtures("kernels_of_a_job")
@pytest.mark.parametrize("name", KINDS)
def test_the_same_seed_gives_the_same_table(name: str, tmp_path: Path) -> None:
    files = [play(make_cuda_experiment(name), KINDS[name][2](), tmp_path / folder) / TABLE for folder in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_points_are_held_out_where_the_cells_are(tmp_path: Path) -> None:
    changes = {"training": {"held_out": 0.2}, "scoring": {"network": MLP}}
    experiment = make_experiment(device="cuda", baselines=[], components=[VAE], **changes)
    held_out = Run(experiment, make_blobs(), 0).held_out
    assert held_out is not None
    assert held_out.is_cuda
    play(experiment, make_blobs(), tmp_path, rounds=1)
