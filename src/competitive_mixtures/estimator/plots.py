"""Pictures of a fitted estimator: points and samples by component, or sheets of sampled images."""

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

if TYPE_CHECKING:
    from matplotlib.axes import Axes


COLUMNS = 10  # images of each component in a sheet
GAP = 1  # white pixels around each of them
MARK_SIZE = 3.0  # points squared


def make_axes(ax: "Axes | None") -> "Axes":
    """The given axes, or those of a new figure."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("CompetitiveMixture.plot needs Matplotlib: pip install matplotlib") from error
    return plt.subplots(layout="constrained")[1]


def plot_vectors(
    estimator: BaseEstimator, points: tuple[np.ndarray, np.ndarray] | None, ax: "Axes | None", num_samples: int
) -> "Axes":
    """Points as dots and samples as crosses, each component in a colour.

    Vectors of more than two dimensions are drawn along the two directions in which the samples vary most; those of one
    dimension against their component.

    Args:
        estimator: fitted to vectors.
        points: (n, d) and the component of each, (n,), or None.
        ax: where to draw, or None.
        num_samples: of the mixture.
    """
    ax = make_axes(ax)
    samples, components = estimator.sample(num_samples)
    centre = samples.mean(axis=0)
    axes = np.eye(2)
    if samples.shape[1] > 2:
        axes = np.linalg.svd(samples - centre, full_matrices=False)[2][:2]
    colours = dict(cmap="tab10" if len(estimator.weights_) <= 10 else "turbo", vmin=0, vmax=max(9, components.max()))

    def draw(rows: np.ndarray, own: np.ndarray, **style: Any) -> None:
        plane = np.column_stack([rows, own]) if rows.shape[1] == 1 else rows
        plane = (rows - centre) @ axes.T if rows.shape[1] > 2 else plane
        ax.scatter(plane[:, 0], plane[:, 1], c=own, **colours, **style)

    if points is not None:
        draw(points[0].astype(float), points[1], s=MARK_SIZE, marker="o", alpha=0.6, label="points")
    draw(samples.astype(float), components, s=3 * MARK_SIZE, marker="x", linewidths=0.6, label="samples")
    ax.legend(loc="best", markerscale=2)
    if samples.shape[1] > 2:
        ax.set(xlabel="first principal axis of the samples", ylabel="second")
    elif samples.shape[1] == 1:
        ax.set(ylabel="component")
    return ax


def plot_images(images: np.ndarray, weights: np.ndarray, ax: "Axes | None") -> "Axes":
    """A row of sampled images for each component, with its weight.

    Args:
        images: (k, COLUMNS, c, h, w) uint8.
        weights: (k,).
        ax: where to draw, or None.
    """
    ax = make_axes(ax)
    images = np.pad(images, [(0, 0)] * 3 + [(GAP, GAP)] * 2, constant_values=255)
    k, _, channels, height, width = images.shape
    sheet = images.transpose(0, 3, 1, 4, 2).reshape(k * height, COLUMNS * width, channels)
    ax.imshow(sheet.squeeze(-1) if channels == 1 else sheet, cmap="gray", vmin=0, vmax=255)
    labels = [f"{j} ({weight:.0%})" for j, weight in enumerate(weights)]
    ax.set_yticks([(j + 0.5) * height for j in range(k)], labels)
    ax.set(xticks=[], ylabel="component (share of the points)")
    return ax
