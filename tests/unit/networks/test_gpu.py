"""The competition on a GPU: the same start as on the CPU, every kind of component, and whole or in shards."""

import pytest
import torch
from examples import CONV, CONV_GAN, CONV_VAE, GAN, MLP, VAE, change, make_blobs, make_experiment, make_images, play

from competitive_mixtures.files.formats import read_json
from competitive_mixtures.networks.ensemble import build_components

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]
VARIANTS = {
    "vae": ({"revival": {"every": 1, "min_share": 0.9, "until": 5}}, make_blobs),
    "gan": ({"components": [GAN]}, make_blobs),
    "bound": ({"scoring": {"kind": "bound"}}, make_blobs),
    "shards": ({"shards": 3, "scoring": {"reset": False}}, make_blobs),
    "conv vae": ({"components": [CONV_VAE], "scoring": {"network": CONV}}, make_images),
    "conv gan": ({"components": [CONV_GAN], "scoring": {"network": MLP}}, make_images),
}


def test_networks_start_the_same_on_every_device():
    states = [build_components(make_experiment(), (2,), 0, device=device).state() for device in ("cpu", "cuda")]
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name].cpu())


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("backend", ["stacked", "loop"])
def test_rounds(name, backend, tmp_path):
    changes, make_dataset = VARIANTS[name]
    experiment = make_experiment(**change(changes, device="cuda", training={"backend": backend}))
    last = play(experiment, make_dataset(), tmp_path)
    record = read_json(last / "metrics.json")
    assert sum(record["counts"]) == len(make_dataset().train)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    experiment = make_experiment(device="cuda", components=[VAE])
    tables = [play(experiment, make_blobs(), tmp_path / name) / "assignments.parquet" for name in "ab"]
    assert tables[0].read_bytes() == tables[1].read_bytes()
