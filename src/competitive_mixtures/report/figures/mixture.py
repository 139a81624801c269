"""Samples of the competitive mixture beside those of every baseline."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.mosaic import tile
from competitive_mixtures.report.figures.plane import draw_points, fit_plane, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from competitive_mixtures.data import Dataset
    from competitive_mixtures.report.results import Run

PROTOCOLS = ("paper", "equal_compute")
MIN_COLUMNS = 4  # so that panels do not outgrow the page where there are few baselines
GRID = 8  # pictures in a row and in a column of an image panel


def plot_mixture(runs: "list[Run]", data: "Dataset", out: Path) -> None:
    """Draw samples of every model of the first seed.

    The first column holds the data above the competitive mixture, every other one a baseline: the paper's protocol
    above equal compute.

    Args:
        runs: the seeds of one experiment; the first one is drawn.
        data: its data set.
        out: a `.png` file.
    """
    import matplotlib.pyplot as plt

    style.use_style()
    samples = runs[0].mixture_samples()
    found = {name.split(".")[0] for name in samples}
    baselines = [model for model in style.MODEL_LABELS if model in found - {"competitive", "data"}]
    columns = max(1 + len(baselines), MIN_COLUMNS)
    figure, panels = plt.subplots(2, columns, figsize=(style.TEXT_WIDTH, 2 * style.TEXT_WIDTH / columns + 0.3))
    for axes in panels[:, 1 + len(baselines) :].flat:
        axes.remove()
    _draw(panels[0, 0], data.train, data, "data")
    _draw(panels[1, 0], samples["competitive.-"], data, "competitive")
    for column, model in enumerate(baselines, start=1):
        for row, protocol in enumerate(PROTOCOLS):
            _draw(panels[row, column], samples.get(f"{model}.{protocol}"), data, model, titled=row == 0)
            if column == 1:
                panels[row, column].set_ylabel(style.PROTOCOL_LABELS[protocol], labelpad=3)
    style.save(figure, out)


def _draw(axes: "Axes", points: np.ndarray | None, data: "Dataset", model: str, *, titled: bool = True) -> None:
    """One panel; a model that was not trained leaves it empty, and says so."""
    style.strip_axes(axes)
    if titled:
        axes.set_title(style.MODEL_LABELS[model])
    if points is None:
        axes.text(0.5, 0.5, "not run", ha="center", va="center", transform=axes.transAxes)
    elif data.kind == "image":
        axes.imshow(tile(np.asarray(points[: GRID**2]), GRID, GRID), interpolation="nearest")
    else:
        plane = fit_plane(data.train)
        shown = plane.project(points[thin(len(points), 2500)])
        draw_points(axes, shown, style.MODEL_COLORS[model], size=1.6, alpha=0.7)
        plane.frame(axes)
