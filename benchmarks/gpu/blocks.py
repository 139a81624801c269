"""Blocks of `params.yaml` that are timed, repeated here since the machine may have no YAML reader."""

from typing import Any

K, BATCH = 15, 32  # of mnist-paper-short
ADAM = {"learning_rate": 5.0e-3, "beta1": 0.5, "beta2": 0.999}
VAE: dict[str, Any] = {  # mnist-paper-short
    "kind": "vae",
    "count": K,
    "encoder": {"kind": "conv", "channels": [8, 16, 32, 64]},
    "decoder": {"kind": "conv", "channels": [64, 32, 16]},
    "latent_dim": 8,
    "likelihood": {"kind": "bernoulli"},
    "optimizer": ADAM,
    "loss_limit": 1.0e6,
}
DCGAN_ADAM = {"learning_rate": 2.0e-4, "beta1": 0.5, "beta2": 0.999}
DCGAN: dict[str, Any] = {  # celeba-gan
    "kind": "gan",
    "count": 1,
    "generator": {"kind": "conv", "channels": [512, 256, 128, 64, 32]},
    "critic": {"kind": "conv", "channels": [64, 128, 256, 512]},
    "latent_dim": 100,
    "loss": {"kind": "non_saturating"},
    "critic_steps": 1,
    "optimizer": DCGAN_ADAM,
    "critic_optimizer": DCGAN_ADAM,
    "averaging": 0.999,
    "loss_limit": 20.0,
}
MNIST_PAPER: dict[str, Any] = {
    "dataset": "mnist",
    "components": [VAE],
    "training": {
        "batch_size": BATCH,
        "pretraining_steps": 18750,
        "steps_per_round": 18750,
        "standardize": "none",
        "shared_layers": 0,
        "backend": "auto",
    },
    "scoring": {
        "kind": "discriminators",
        "network": {"kind": "conv", "channels": [64, 128, 256]},
        "trunk": "separate",
        "optimizer": ADAM,
        "batch_size": BATCH,
        "steps_per_round": 1,
        "reset": False,
        "normalization": "global",
        "assignment": "density",
    },
    "balancing": {"min_share": 0.008},
    "revival": None,
    "baselines": [],
    "evaluation": {"num_samples": 10000, "num_bandwidth_samples": 1, "num_neighbors": 3},
    "shards": 1,
    "device": "auto",
}
