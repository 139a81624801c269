"""The upper bound on the divergence from data to model that the competition lowers, estimated from density ratios."""

from torch import Tensor


def estimate_objective(log_ratios: Tensor, components: Tensor, weights: Tensor, log_partition: Tensor) -> float:
    r"""Estimate the sum over components of alpha_j KL(P_d^j || P_gj), which bounds KL(P_d || P_model) from above.

    With rho_j = r_j / (Z_j / N), an estimate of p_gj / p_d, the bound is minus the mean over points of
    log(alpha_c rho_c(x)) at the point's own component c; on the training points, where alpha_j is the share of
    cell j, this equals H(alpha) minus the mean of log rho_c(x).

    Deviation: the paper states its objective for any f-divergence and never evaluates it; this is the direction
    KL(P_d^j || P_gj), the one that discriminator scores on data points can estimate.

    Args:
        log_ratios: (n,) log density ratios at training or held-out points, each at the component that owns it.
        components: (n,) integers, the component that owns each point.
        weights: (k,) mixture weights alpha of the training points.
        log_partition: (k,) float64 log(Z_j / N), log of the mean of r_j over the training points.

    Returns:
        The estimate in nats; infinite when a point belongs to a component of weight zero.

    References:
        Locatello et al., arXiv 1804.11130, the objective of section 3.
    """
    components = components.long()
    log_rho = log_ratios.double() - log_partition[components]
    log_weighted = log_rho + weights.double().log()[components]  # (n,) log alpha_c rho_c
    return -log_weighted.mean().item()
