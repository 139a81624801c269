"""Samples of the competitive mixture beside those of every baseline."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.mosaic import tile
from competitive_mixtures.report.figures.plane import draw_points, fit_plane, thin
from competitive_mixtures.report.names import MODELS, PROTOCOLS
from competitive_mixtures.report.results import FinishedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROWS = ("paper", "equal_compute")  # the protocol of the baselines in each row
MIN_COLUMNS = 4  # with fewer baselines the panels would outgrow the page
GRID = 6  # images in a row and in a column of a panel


def plot_mixture(runs: list[FinishedRun], data: Dataset, out: Path) -> None:
    """Draw samples of every model of the first seed.

    The first two columns hold the training data and the mixture; every other column holds a baseline, in the paper's
    protocol above equal compute; one without protocols has one panel.

    Args:
        runs: the seeds of one experiment; the first one is drawn.
        data: its data set.
        out: a `.png` file.
    """
    samples = runs[0].model_samples()
    found = {name.split(".")[0] for name in samples}
    baselines = [model for model in MODELS if model in found - {"competitive", "data"}]
    columns = max(2 + len(baselines), MIN_COLUMNS)
    figure = style.make_figure(style.TEXT_WIDTH, 2 * style.TEXT_WIDTH / columns + 0.4)
    panels = figure.subplots(2, columns)
    for axes in (*panels[:, 2 + len(baselines) :].flat, *panels[1, :2]):
        axes.remove()
    _draw(panels[0, 0], data.train, data, "data", title="training data")
    _draw(panels[0, 1], samples["competitive.-"], data, "competitive", title=MODELS["competitive"])
    for column, model in enumerate(baselines, start=2):
        if f"{model}.-" in samples:
            _draw(panels[0, column], samples[f"{model}.-"], data, model, MODELS[model].replace(" ", "\n"))
            panels[1, column].remove()
            continue
        for row, protocol in enumerate(ROWS):
            title = MODELS[model].replace(", ", ",\n") if row == 0 else ""
            _draw(panels[row, column], samples.get(f"{model}.{protocol}"), data, model, title)
            if column == 2:
                panels[row, column].set_ylabel(PROTOCOLS[protocol], labelpad=3)
    style.save(figure, out)


def _draw(axes: "Axes", points: np.ndarray | None, data: Dataset, model: str, title: str) -> None:
    """Draw one panel: points in the model's colour, images, or `not run` where there are none."""
    style.strip_axes(axes)
    if title:
        axes.set_title(title)
    if points is None:
        axes.text(0.5, 0.5, "not run", ha="center", va="center", transform=axes.transAxes)
    elif data.kind == "image":
        axes.imshow(tile(np.asarray(points[: GRID**2]), GRID, GRID), interpolation="nearest")
    else:
        plane = fit_plane(data.train)
        shown = plane.project(points[thin(len(points), 2500)])
        draw_points(axes, shown, style.MODEL_COLORS[model], size=1.6, alpha=0.7)
        plane.set_view(axes)
