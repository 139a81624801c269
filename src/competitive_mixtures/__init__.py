"""Competitive training of mixtures of independent deep generative models (Locatello et al., arXiv 1804.11130)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from competitive_mixtures.estimator.estimator import CompetitiveMixture

__all__ = ["CompetitiveMixture"]


def __getattr__(name: str) -> Any:
    """Import the estimator when it is asked for: PyTorch and scikit-learn cost every other step seconds."""
    if name == "CompetitiveMixture":
        from competitive_mixtures.estimator.estimator import CompetitiveMixture

        return CompetitiveMixture
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
