"""Side-by-side timings of the scores against what a competent user would write with the usual libraries.

`python benchmarks/scores.py` prints the rows as CSV; `--images N` sets the number of images of the Inception row.
"""

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pairs import REPEATS, WALL, Row, Timings, make_row, time_alternately, write_rows

FID_IMAGES = 10_000  # what FID is usually computed from


def benchmark_scores(repeats: int = REPEATS, num_images: int = 50) -> Iterator[Row]:
    """Time every score beside its reference.

    Args:
        repeats: alternating runs of each side, whose medians are reported.
        num_images: images for the Inception row, which takes about a third of a second for each in every repeat.

    Yields:
        Rows of `name,device,ours_s,reference_s,ratio,notes`.
    """
    yield benchmark_kernel_density(repeats)
    frechet = benchmark_frechet(repeats)
    yield frechet
    yield benchmark_precision_recall(repeats)
    inception = benchmark_inception(repeats, num_images)
    yield inception
    yield add_up_fid(frechet, inception, num_images)


def add_up_fid(frechet: Row, inception: Row, num_images: int) -> Row:
    """FID of two sets of as many images as usual, out of its measured parts; `fid_images.py` runs the whole of it."""
    count = 2 * FID_IMAGES // num_images
    ours, reference = ([count * float(inception[side]) + float(frechet[side])] for side in ("ours_s", "reference_s"))
    notes = f"not run: {count} times the features of {num_images} images, plus one distance, from the rows above"
    return make_row(f"fid_{FID_IMAGES}_images_added_up", (ours, reference), notes)


def benchmark_kernel_density(repeats: int) -> Row:
    """Log-densities under 14 bandwidths against scikit-learn, and how far the two are apart."""
    from sklearn.neighbors import KernelDensity

    from competitive_mixtures.evaluation.kernel_density import candidate_bandwidths, log_kernel_density

    rng = np.random.default_rng(0)
    samples, points = (draw_sheared_gaussians(rng, size) for size in (5_000, 6_400))
    bandwidths = candidate_bandwidths(samples)

    def score_with_sklearn() -> np.ndarray:
        return np.array([KernelDensity(bandwidth=h).fit(samples).score_samples(points) for h in bandwidths])

    ours, reference, timings = time_alternately(
        lambda: log_kernel_density(points, samples, bandwidths), score_with_sklearn, repeats
    )
    error = np.abs(ours - reference).max(axis=1)
    exact = np.abs(ours[:, :200] - evaluate_directly(points[:200], samples, bandwidths)).max()
    notes = (
        f"5,000 samples, 6,400 points, 14 bandwidths; largest difference {exact:.0e} from the direct formula, and "
        f"{error[error < 1e-8].max():.0e} from scikit-learn at {np.sum(error < 1e-8)} bandwidths; at the other, "
        f"smallest ones its tree loses the tail (up to {error.max():.0e} nats)"
    )
    return make_row("kde_log_likelihood", timings, notes)


def benchmark_frechet(repeats: int, dimension: int = 2048) -> Row:
    """Fréchet distance of given moments against `scipy.linalg.sqrtm` of the product."""
    from scipy.linalg import sqrtm

    from competitive_mixtures.evaluation.frechet import compute_moments, frechet_from_moments

    rng = np.random.default_rng(1)
    scales = np.exp(-np.linspace(0, 4, dimension))
    (mean_a, a), (mean_b, b) = (
        compute_moments(rng.normal(size=(2 * dimension, dimension)) * scales * size + size) for size in (1.0, 1.2)
    )

    def compute_with_sqrtm() -> float:
        difference = mean_a - mean_b
        return float(difference @ difference + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real)

    ours, reference, timings = time_alternately(
        lambda: frechet_from_moments(mean_a, a, mean_b, b), compute_with_sqrtm, repeats
    )
    return make_row(
        "frechet_distance", timings, f"{dimension} dimensions; relative difference {abs(ours / reference - 1):.0e}"
    )


def benchmark_precision_recall(repeats: int, num_points: int = 5_000) -> Row:
    """Improved precision and recall against scikit-learn's neighbours and SciPy's distances."""
    from scipy.spatial.distance import cdist
    from sklearn.neighbors import NearestNeighbors

    from competitive_mixtures.evaluation.precision_recall import estimate_manifold, precision_recall

    rng = np.random.default_rng(2)
    real, generated = rng.normal(size=(num_points, 64)), rng.normal(0.2, 1.1, size=(num_points, 64))

    def compute_with_libraries() -> tuple[float, float]:
        radii_real, radii_generated = (
            NearestNeighbors(n_neighbors=3).fit(features).kneighbors()[0][:, -1] for features in (real, generated)
        )
        distances = cdist(generated, real)
        on_real = (distances <= radii_real).any(axis=1).mean()
        on_generated = (distances <= radii_generated[:, None]).any(axis=0).mean()
        return float(on_real), float(on_generated)

    ours, reference, timings = time_alternately(
        lambda: precision_recall(estimate_manifold(real), estimate_manifold(generated)), compute_with_libraries, repeats
    )
    assert ours == reference, (ours, reference)
    return make_row("precision_recall", timings, f"2 x {num_points:,} points, 64 dimensions; the same numbers")


def benchmark_inception(repeats: int, num_images: int) -> Row:
    """Inception features of images in memory against pytorch-fid on a folder of PNG files, with random weights."""
    import torch
    from PIL import Image
    from pytorch_fid.fid_score import get_activations
    from pytorch_fid.inception import InceptionV3

    from competitive_mixtures.evaluation.inception import extract_inception_features, load_inception

    images = np.random.default_rng(3).integers(0, 256, size=(num_images, 1, 28, 28), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as name:
        weights = write_random_weights(Path(name))
        os.environ["TORCH_HOME"] = name  # where pytorch-fid looks for its weights
        theirs, network = InceptionV3().eval(), load_inception(weights)
        files = [Path(name) / f"{index:05d}.png" for index in range(num_images)]
        for image, file in zip(images, files, strict=True):
            Image.fromarray(image[0]).save(file)
        in_network: list[float] = []
        network.register_forward_pre_hook(lambda *_: in_network.append(-time.perf_counter()))
        network.register_forward_hook(lambda *_: in_network.append(time.perf_counter()))
        ours, reference, timings = time_alternately(
            lambda: extract_inception_features(network, images),
            lambda: get_activations(files, theirs, num_workers=len(os.sched_getaffinity(0))),
            repeats,
            WALL,
        )
    share = sum(in_network) / repeats / statistics.mean(timings[0])
    error = np.abs(ours - reference).max() / np.abs(reference).max()
    notes = (
        f"{num_images} grey 28x28 images, wall time, threads: {torch.get_num_threads()}; {share:.0%} of our time in "
        f"the network, {timings_per_item(timings, num_images)}; relative difference {error:.0e}; the writing of "
        "the PNG files not counted"
    )
    return make_row("inception_features", timings, notes)


def timings_per_item(timings: Timings, count: int) -> str:
    ours_ms, reference_ms = (statistics.median(side) / count * 1e3 for side in timings)
    return f"{ours_ms:.0f} ms an image against {reference_ms:.0f}"


def draw_sheared_gaussians(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw points like those of the synthetic data sets: three modes and a shear of the second coordinate."""
    centres = np.array([[-15.0, -8.0], [3.0, 17.0], [18.0, -2.0]])
    points = centres[rng.integers(3, size=size)] + rng.normal(scale=1.4, size=(size, 2))
    points[:, 1] += 0.04 * points[:, 0] ** 2 - 4
    return points


def evaluate_directly(points: np.ndarray, samples: np.ndarray, bandwidths: np.ndarray) -> np.ndarray:
    from scipy.special import logsumexp

    distances = ((points[:, None] - samples[None]) ** 2).sum(axis=-1)
    return np.array(
        [logsumexp(-distances / (2 * h * h), axis=1) - np.log(len(samples) * 2 * np.pi * h * h) for h in bandwidths]
    )


def write_random_weights(folder: Path) -> Path:
    """Write weights with the names and shapes of pytorch-fid's file where torch's hub keeps such files."""
    import torch

    from competitive_mixtures.evaluation.inception import build_network
    from competitive_mixtures.evaluation.inception_weights import WEIGHTS_URL

    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, tensor in build_network().state_dict().items():
        fan_in = max(1, tensor[0].numel()) if tensor.ndim > 1 else 1
        weights[name] = torch.randn(tensor.shape, generator=generator).mul(fan_in**-0.5)
        if name.endswith("running_var"):
            weights[name] = torch.ones(tensor.shape)
    path = folder / "hub" / "checkpoints" / Path(WEIGHTS_URL).name
    path.parent.mkdir(parents=True)
    torch.save(weights, path)
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--images", type=int, default=50)
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        write_rows(benchmark_scores(arguments.repeats, arguments.images))
