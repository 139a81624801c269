"""Which points each component won: a scatter by round for vectors, a sheet by component for images."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.mosaic import tile
from competitive_mixtures.report.figures.plane import Plane, draw_points, fit_plane, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from competitive_mixtures.data import Dataset
    from competitive_mixtures.report.results import Run

SHEET_COLUMNS = 12


def plot_partition(runs: "list[Run]", data: "Dataset", out: Path) -> None:
    """Draw the partition of the first seed.

    Args:
        runs: the seeds of one experiment; the first one is drawn.
        data: its data set.
        out: a `.png` file.
    """
    style.use_style()
    draw = _plot_scatter if data.kind == "vector" else _plot_sheet
    draw(runs[0], data, out)


def _plot_scatter(run: "Run", data: "Dataset", out: Path) -> None:
    """Assignments at the first, middle and last round, then what the components produce at the end."""
    import matplotlib.pyplot as plt

    chosen = style.pick_rounds(run.rounds)
    plane = fit_plane(data.train)
    figure, panels = plt.subplots(1, len(chosen) + 1, figsize=(style.TEXT_WIDTH, 1.72), squeeze=False)
    for axes, number in zip(panels[0], chosen, strict=False):
        count = len(run.round_metrics(number)["counts"])
        _draw_cells(axes, plane, data.train, run.assignments(number)["component"], count)
        axes.set_title(_round_title(run, number))
    _draw_samples(panels[0, -1], plane, data.train, run.component_samples(chosen[-1]))
    panels[0, -1].set_title(f"samples, round {chosen[-1]}")
    style.save(figure, out)


def _round_title(run: "Run", number: int) -> str:
    purity = run.round_metrics(number).get("purity")
    return f"round {number}" + (f", purity {purity:.2f}" if purity is not None else "")


def _draw_cells(axes: "Axes", plane: Plane, points: np.ndarray, component: np.ndarray, count: int) -> None:
    """Points in their component's colour, each cell with its number at its middle."""
    shown = thin(len(points))
    flat, owner = plane.project(points[shown]), component[shown]
    colors = np.array(style.component_colors(count))
    draw_points(axes, flat, colors[owner], size=2.5, alpha=0.8)
    plane.frame(axes)
    for j in np.unique(owner):
        _write_number(axes, _densest_place(flat[owner == j]), j)


def _draw_samples(axes: "Axes", plane: Plane, points: np.ndarray, samples: np.ndarray) -> None:
    """Samples of every component in its colour over the data in grey."""
    draw_points(axes, plane.project(points[thin(len(points))]), "#d4d4d4", size=4)
    for j, color in enumerate(style.component_colors(len(samples))):
        flat = plane.project(samples[j])
        draw_points(axes, flat, color, size=2, alpha=0.9)
        _write_number(axes, _densest_place(flat), j)
    plane.frame(axes)


def _densest_place(points: np.ndarray, bins: int = 12) -> np.ndarray:
    """The middle of the points in the fullest field of a grid, so that a cell's number stands on its bulk."""
    low, extent = points.min(axis=0), np.ptp(points, axis=0) + 1e-12
    fields = np.minimum(((points - low) / extent * bins).astype(np.int64), bins - 1) @ [bins, 1]
    return points[fields == np.bincount(fields).argmax()].mean(axis=0)


def _write_number(axes: "Axes", place: np.ndarray, number: int) -> None:
    """A number up and right of a place, so that a small cell is not hidden; a white rim sets it off from dots."""
    from matplotlib.patheffects import withStroke

    axes.annotate(
        str(number), (place[0], place[1]), (5.5, 5), textcoords="offset points", ha="center", va="center", fontsize=8,
        fontweight="bold", path_effects=[withStroke(linewidth=2, foreground="white")],
    )  # fmt: skip


def _plot_sheet(run: "Run", data: "Dataset", out: Path) -> None:
    """One row a component: training points that it won on the left, its samples on the right."""
    import matplotlib.pyplot as plt

    last = run.rounds[-1]
    table, samples = run.assignments(last), run.component_samples(last)
    count = len(samples)
    won = np.concatenate([_cell_images(data, table["component"], j) for j in range(count)])
    made = np.concatenate([_pad(samples[j][:SHEET_COLUMNS]) for j in range(count)])
    height, width = data.shape[1:]
    size = (style.TEXT_WIDTH, 0.35 + 0.46 * style.TEXT_WIDTH * count / SHEET_COLUMNS * height / width)
    figure, panels = plt.subplots(1, 2, figsize=size)
    for axes, images, title in zip(panels, (won, made), ("training points won", "samples made"), strict=True):
        axes.imshow(tile(images, SHEET_COLUMNS, count), interpolation="nearest", aspect="equal")
        style.strip_axes(axes)
        axes.set_title(f"{title}, round {last}")
    panels[0].set_yticks(
        (np.arange(count) + 0.5) * (height + 2) - 1,
        [f"{j}  ({style.share_label(float(share))})" for j, share in enumerate(_shares(table["component"], count))],
    )
    panels[0].tick_params(length=0)
    style.save(figure, out)


def _shares(component: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(component, minlength=count) / len(component)


def _cell_images(data: "Dataset", component: np.ndarray, j: int) -> np.ndarray:
    """The first training images of cell j, blank ones where it has too few."""
    return _pad(np.asarray(data.train[np.flatnonzero(component == j)[:SHEET_COLUMNS]]), data.shape)


def _pad(images: np.ndarray, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Fill up to a row of the sheet; grey pictures are shown inverted, so their blank is 0."""
    shape = tuple(shape or images.shape[1:])
    blank = np.full((SHEET_COLUMNS - len(images), *shape), 0 if shape[0] == 1 else 255, np.uint8)
    return np.concatenate([images.reshape(-1, *shape), blank])
