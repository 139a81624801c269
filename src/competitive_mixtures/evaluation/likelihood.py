"""Log-likelihood and coverage of a mixture: from its samples alone, or from the densities of its components."""

from dataclasses import dataclass

import numpy as np

from competitive_mixtures.evaluation.kernel_density import candidate_bandwidths, log_kernel_density


@dataclass(frozen=True)
class DensityScores:
    """Scores of a sampler under its kernel density estimate.

    Attributes:
        log_likelihood: mean log-density of the data points, in nats.
        coverage: share of data points denser than the sparsest 5 % of the model's own samples, in [0, 1].
        bandwidth: the standard deviation of the kernel, in units of the data.
    """

    log_likelihood: float
    coverage: float
    bandwidth: float


def score_samples(samples: np.ndarray, held_out: np.ndarray, points: np.ndarray) -> DensityScores:
    """Score a model by the kernel density estimate of its samples, after the authors' rule.

    The samples are drawn from the whole mixture, so that log alpha_j is part of the density by construction. Use the
    same number of samples for every model that is compared: the estimate improves with it.

    Deviation: the model's own density, whose 5 % quantile is the threshold of the coverage, is taken at `held_out`
    samples. At the samples the estimate is fitted to, each would count its own kernel; at held-out ones a perfect
    model has coverage 0.95 in expectation.

    Args:
        samples: (N, d) model samples in random order, that the density is fitted to.
        held_out: (M, d) further model samples, that choose the bandwidth and the threshold.
        points: (n, d) data points.

    Returns:
        The three scores.

    Raises:
        UserError: too few points, different dimensions or values that are not finite.

    References:
        Locatello et al., arXiv 1804.11130, public code (2-D experiments); the coverage is that of Tolstikhin et al.,
        AdaGAN, arXiv 1701.02386, section 4.
    """
    bandwidth, own = fit_bandwidth(samples, held_out)
    data = log_kernel_density(points, samples, np.array([bandwidth]))[0]
    threshold = np.quantile(own, 0.05)
    return DensityScores(float(data.mean()), float((data > threshold).mean()), bandwidth)


def fit_bandwidth(samples: np.ndarray, held_out: np.ndarray) -> tuple[float, np.ndarray]:
    """Choose the bandwidth of the samples' kernel density under which further samples are the likeliest.

    Args:
        samples: (N, d) centres of the kernels, in random order.
        held_out: (M, d) further samples of the same model.

    Returns:
        The bandwidth, one of the authors' grid, and the (M,) log-densities of `held_out` under it.
    """
    candidates = candidate_bandwidths(samples)
    own = log_kernel_density(held_out, samples, candidates)  # (14, M)
    best = int(own.mean(axis=1).argmax())
    return float(candidates[best]), own[best]


def draft_log_likelihood(component_log_densities: np.ndarray, components: np.ndarray, weights: np.ndarray) -> float:
    """Compute the score in the column "kVAEs" of the paper's draft, which is no mixture likelihood.

    Each component is scored on its own cell and log alpha_j is left out: sum_j alpha_j mean_{x in cell j} log p_gj(x).
    It exceeds what any mixture can reach by up to the entropy of alpha, and is here only to show by how much.

    Args:
        component_log_densities: (k, n) log p_gj(x) of the n data points.
        components: (n,) the component that owns each point.
        weights: (k,) mixture weights alpha, which sum to 1.

    Returns:
        The score in nats; cells without a point among the n are left out and the other weights rescaled.
    """
    densities = np.asarray(component_log_densities, dtype=np.float64)
    owned = densities[components, np.arange(densities.shape[1])]
    counts = np.bincount(components, minlength=len(densities))
    sums = np.bincount(components, weights=owned, minlength=len(densities))
    filled = counts > 0
    weights = np.asarray(weights, dtype=np.float64)[filled]
    return float(np.sum(weights * sums[filled] / counts[filled]) / weights.sum())
