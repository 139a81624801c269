"""Which points each component won: vectors as scatter plots by round, images as one row a component."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.mosaic import tile
from competitive_mixtures.report.figures.plane import Plane, draw_points, fit_plane, thin
from competitive_mixtures.report.names import METRICS
from competitive_mixtures.report.results import FinishedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHEET_COLUMNS = 12  # images in a row, on either side
CORNERS = ((5.5, 5.0), (-5.5, 5.0), (5.5, -5.0), (-5.5, -5.0))  # points from a place to its number
NUMBER_SIZE = 7.0  # points that a number takes


def plot_partition(runs: list[FinishedRun], data: Dataset, out: Path) -> None:
    """Draw the partition of the first seed, and samples of its components.

    Args:
        runs: the seeds of one experiment; the first one is drawn.
        data: its data set.
        out: a `.png` file.
    """
    draw = _plot_scatter if data.kind == "vector" else _plot_sheet
    draw(runs[0], data, out)


def _plot_scatter(run: FinishedRun, data: Dataset, out: Path) -> None:
    """Draw the assignments in the first, the middle and the last round, then samples from the last."""
    chosen = style.pick_rounds(run.rounds)
    plane = fit_plane(data.train)
    figure = style.make_figure(style.TEXT_WIDTH, 1.72)
    panels = figure.subplots(1, len(chosen) + 1, squeeze=False)
    for axes, number in zip(panels[0], chosen, strict=False):
        count = len(run.round_metrics(number)["counts"])
        draw_cells(axes, plane, data.train, run.assignments(number).component, count)
        axes.set_title(round_title(run, number))
    _draw_samples(panels[0, -1], plane, data.train, run.component_samples(chosen[-1]))
    panels[0, -1].set_title(f"samples, round {chosen[-1]}")
    style.save(figure, out)


def round_title(run: FinishedRun, number: int) -> str:
    """`round 14, purity 1.00`; without the purity where the data has no labels."""
    purity = run.round_metrics(number).get("purity")
    return f"round {number}" + (f", {METRICS['purity']} {purity:.2f}" if purity is not None else "")


def draw_cells(axes: "Axes", plane: Plane, points: np.ndarray, component: np.ndarray, count: int) -> None:
    """Draw points in their component's colour, with the number of each cell where the cell is densest."""
    shown = thin(len(points))
    flat, owner = plane.project(points[shown]), component[shown]
    colors = np.array(style.component_colors(count))
    draw_points(axes, flat, colors[owner], size=2.5, alpha=0.8)
    plane.set_view(axes)
    taken: list[np.ndarray] = []
    for j in np.unique(owner):
        _write_number(axes, _densest_place(flat[owner == j]), j, taken)


def _draw_samples(axes: "Axes", plane: Plane, points: np.ndarray, samples: np.ndarray) -> None:
    """Draw samples of every component in its colour, over the data in grey."""
    draw_points(axes, plane.project(points[thin(len(points))]), "#d4d4d4", size=4)
    plane.set_view(axes)
    taken: list[np.ndarray] = []
    for j, color in enumerate(style.component_colors(len(samples))):
        flat = plane.project(samples[j])
        draw_points(axes, flat, color, size=2, alpha=0.9)
        _write_number(axes, _densest_place(flat), j, taken)


def _densest_place(points: np.ndarray, bins: int = 12) -> np.ndarray:
    """The mean of the (n, 2) points in the fullest field of a grid: the middle of all may lie between two modes."""
    low, extent = points.min(axis=0), np.ptp(points, axis=0) + 1e-12
    fields = np.minimum(((points - low) / extent * bins).astype(np.int64), bins - 1) @ [bins, 1]
    return points[fields == np.bincount(fields).argmax()].mean(axis=0)


def _write_number(axes: "Axes", place: np.ndarray, number: int, taken: list[np.ndarray]) -> None:
    """Write a number beside a place, so as not to hide a small cell; a white rim sets it off.

    It stands above and to the right, or at the first other corner where no number stands yet.

    Args:
        axes: where to write, with the final limits.
        place: (2,) in the units of the data.
        number: what to write.
        taken: (2,) places of the numbers written so far, in points; this one is added.
    """
    from matplotlib.patheffects import withStroke

    point = axes.transData.transform(place) * 72 / style.DPI
    offsets = [np.array(corner) for corner in CORNERS]
    free = [o for o in offsets if all(np.abs(point + o - other).max() >= NUMBER_SIZE for other in taken)]
    offset = free[0] if free else offsets[0]
    taken.append(point + offset)
    axes.annotate(
        str(number), (place[0], place[1]), (offset[0], offset[1]), textcoords="offset points", ha="center",
        va="center", fontsize=8, fontweight="bold", path_effects=[withStroke(linewidth=2, foreground="white")],
    )  # fmt: skip


def _plot_sheet(run: FinishedRun, data: Dataset, out: Path) -> None:
    """Draw one row a component: training images that it won on the left, its samples on the right."""
    last = run.rounds[-1]
    table, samples = run.assignments(last), run.component_samples(last)
    count = len(samples)
    won = np.concatenate([_cell_images(data, table.component, j) for j in range(count)])
    made = np.concatenate([_pad(samples[j][:SHEET_COLUMNS]) for j in range(count)])
    height, width = data.shape[1:]
    sheet = 0.46 * style.TEXT_WIDTH * count / SHEET_COLUMNS * height / width  # inches
    figure = style.make_figure(style.TEXT_WIDTH, 0.35 + sheet)
    panels = figure.subplots(1, 2)
    for axes, images, title in zip(panels, (won, made), ("training points won", "samples made"), strict=True):
        axes.imshow(tile(images, SHEET_COLUMNS, count), interpolation="nearest", aspect="equal")
        style.strip_axes(axes)
        axes.set_title(f"{title}, round {last}")
    panels[0].set_yticks(
        (np.arange(count) + 0.5) * (height + 2) - 1,
        [f"{j}  ({style.share_label(float(share))})" for j, share in enumerate(_shares(table.component, count))],
    )
    panels[0].tick_params(length=0)
    style.save(figure, out)


def _shares(component: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(component, minlength=count) / len(component)


def _cell_images(data: Dataset, component: np.ndarray, j: int) -> np.ndarray:
    """The first training images of cell j; blank ones fill the row."""
    return _pad(np.asarray(data.train[np.flatnonzero(component == j)[:SHEET_COLUMNS]]), data.shape)


def _pad(images: np.ndarray, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Fill a row with blank images: of one channel they are shown inverted, so that 0 is white."""
    shape = tuple(shape or images.shape[1:])
    blank = np.full((SHEET_COLUMNS - len(images), *shape), 0 if shape[0] == 1 else 255, np.uint8)
    return np.concatenate([images.reshape(-1, *shape), blank])
