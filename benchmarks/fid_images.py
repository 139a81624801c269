"""FID of two sets of 28x28 images from start to end, with random weights, against pytorch-fid on folders of PNG files.

`python benchmarks/fid_images.py` takes half an hour on two cores and prints its row as CSV; it is no part of
`make bench`. `--images 100 --features 64` is a trial: a Fréchet distance needs more images than features.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pairs import WALL, Row, make_row, time_alternately, write_rows
from scores import FID_IMAGES, write_random_weights

AGREEMENT = 1e-3  # relative; pytorch-fid's root of a product of covariances is no more exact


def benchmark_fid(num_images: int, num_features: int, threads: int) -> Iterator[Row]:
    """Time both sides once, wall time: networks built, both sets read, their features, the distance."""
    from competitive_mixtures.method.device import choose_kernels

    choose_kernels(threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = write_random_weights(folder)
        os.environ["TORCH_HOME"] = name  # where pytorch-fid looks for its weights
        paths = write_images(folder, num_images)
        in_network: list[float] = []
        ours, reference, timings = time_alternately(
            lambda: compute_ours(weights, paths, num_features, in_network),
            lambda: compute_theirs(paths, num_features, threads),
            1,
            WALL,
        )
    difference = abs(ours / reference - 1)
    yield make_row(
        f"fid_{num_images}_images",
        timings,
        f"2 x {num_images:,} grey 28x28 images, {num_features} features, random weights; wall time, once, threads: "
        f"{threads}; from arrays in files against folders of PNG files; {sum(in_network) / timings[0][0]:.1%} of our "
        f"time in the network; FID {ours:.6g} and {reference:.6g}, relative difference {difference:.0e}",
    )
    if not difference < AGREEMENT:
        sys.exit(f"the two disagree: {ours} and {reference}")


def compute_ours(weights: Path, paths: list[Path], num_features: int, in_network: list[float]) -> float:
    from competitive_mixtures.evaluation.frechet import frechet_distance
    from competitive_mixtures.evaluation.inception import extract_inception_features, load_inception

    network = load_inception(weights, num_features)
    network.register_forward_pre_hook(lambda *_: in_network.append(-time.perf_counter()))
    network.register_forward_hook(lambda *_: in_network.append(time.perf_counter()))
    real, generated = (extract_inception_features(network, np.load(path.with_suffix(".npy"))) for path in paths)
    distance = frechet_distance(real, generated)
    print(f"ours: {distance}", file=sys.stderr)  # known before the reference has begun
    return distance


def compute_theirs(paths: list[Path], num_features: int, threads: int) -> float:
    """As pytorch-fid's command does, with its batches of 50 and a worker for each core."""
    from pytorch_fid.fid_score import calculate_fid_given_paths

    folders = [str(path) for path in paths]
    with contextlib.redirect_stdout(sys.stderr):
        return float(calculate_fid_given_paths(folders, 50, "cpu", num_features, num_workers=threads))


def write_images(folder: Path, num_images: int) -> list[Path]:
    """Two sets of random patterns, coarse and less so, each as a folder of PNG files and as an array beside."""
    from PIL import Image

    rng = np.random.default_rng(3)
    paths = []
    for name, side in (("real", 4), ("generated", 7)):
        brightest = rng.integers(2, 256, size=(num_images, 1, 1, 1))
        patterns = rng.integers(0, brightest, size=(num_images, 1, side, side), dtype=np.uint8)
        images = patterns.repeat(28 // side, axis=2).repeat(28 // side, axis=3)
        path = folder / name
        path.mkdir()
        np.save(path.with_suffix(".npy"), images)
        for index, image in enumerate(images):
            Image.fromarray(image[0]).save(path / f"{index:05d}.png")
        paths.append(path)
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=FID_IMAGES, help="in each of the two sets")
    parser.add_argument("--features", type=int, default=2048, choices=(64, 192, 768, 2048))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        write_rows(benchmark_fid(arguments.images, arguments.features, arguments.threads))
