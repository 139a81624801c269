"""Which components won the points of each label, before and after the competition."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.tables import AssignmentTable
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.texts import label_texts
from competitive_mixtures.report.results import FinishedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage


MAX_LABELS = 100  # in the figure


def plot_labels(runs: list[FinishedRun], data: Dataset, out: Path) -> None:
    """Draw two heat maps of the share of each label that each component won: first and last round, first seed.

    Args:
        runs: the seeds of one experiment; the first one is drawn.
        data: its data set, with labels.
        out: an `.svg` file.

    Raises:
        UserError: the data set has no labels.
    """
    if data.train_labels is None:
        raise UserError(f"{data.name}: has no labels; leave the figure `labels-{runs[0].experiment}` out")
    first, last = runs[0].rounds[0], runs[0].rounds[-1]
    before, after = (label_shares(runs[0].assignments(number), _count(runs[0])) for number in (first, last))
    order = order_components(after)
    names = data.meta.get("label_names") or [str(label) for label in range(len(after))]
    rows = pick_labels(data.train_labels)
    texts = label_texts({int(row): names[row] for row in rows}, f"labels-{runs[0].experiment}")
    figure = style.make_figure(style.TEXT_WIDTH, 0.65 + 0.2 * len(rows))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, shares, number in zip(panels, (before, after), (first, last), strict=True):
        image = _draw_heat(axes, shares[rows][:, order], order)
        axes.set_title(f"round {number}")
    panels[0].set_yticks(range(len(rows)), texts)
    some = f"the {len(rows)} most frequent of {len(after)} labels"
    panels[0].set_ylabel("label" if len(rows) == len(after) else some)
    figure.colorbar(image, ax=panels, shrink=0.9, pad=0.01, label="share of label", ticks=[0, 0.5, 1])
    style.save(figure, out)


def pick_labels(labels: np.ndarray) -> np.ndarray:
    """All labels up to the largest one of (N,), or, where these are too many for a figure, the most frequent ones."""
    counts = np.bincount(labels)
    return np.sort(np.argsort(-counts, kind="stable")[:MAX_LABELS])


def _count(run: FinishedRun) -> int:
    return len(run.round_metrics(run.rounds[0])["counts"])


def label_shares(table: AssignmentTable, count: int) -> np.ndarray:
    """Share of every label that each component won.

    Args:
        table: assignments with `label` (N,) and `component` (N,).
        count: number of components k.

    Returns:
        (labels, k) float64; rows sum to 1, but for a label that never occurs, whose row is 0.
    """
    label, component = np.asarray(table.label, np.int64), table.component.astype(np.int64)
    cells = np.bincount(label * count + component, minlength=(label.max() + 1) * count).reshape(-1, count)
    return cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)


def order_components(shares: np.ndarray) -> np.ndarray:
    """Order the components by the label that each won the largest share of: a clean partition becomes a diagonal."""
    return np.lexsort((-shares.max(axis=0), shares.argmax(axis=0)))


def _draw_heat(axes: "Axes", shares: np.ndarray, order: np.ndarray) -> "AxesImage":
    """Draw one heat map; shares of 10 % and more are written into their fields."""
    image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto", interpolation="nearest")
    for row, column in np.argwhere(shares >= 0.1):
        color = "white" if shares[row, column] > 0.55 else style.INK
        axes.text(column, row, f"{100 * shares[row, column]:.0f}", ha="center", va="center", fontsize=6, color=color)
    axes.set_xticks(range(len(order)), [str(j) for j in order])
    axes.set_xlabel("component")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return image
