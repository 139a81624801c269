"""The competition on vector data as an animated GIF: which component wins which points, and what it makes of them."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import write_atomically
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.plane import Plane, draw_points, fit_plane, thin
from competitive_mixtures.report.names import METRICS
from competitive_mixtures.report.results import FinishedRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

MAX_PICTURES = 30
MAX_POINTS = 1800
PICTURE_MS, FIRST_MS, LAST_MS = 220, 900, 2600  # milliseconds that a picture stays
DPI = 96


def plot_animation(runs: list[FinishedRun], data: Dataset, out: Path) -> None:
    """Animate the first seed, one picture a round; of a long run, some of the later rounds are left out.

    Args:
        runs: the seeds of one experiment; the first one is shown.
        data: its data set, of vectors.
        out: a `.gif` file.

    Raises:
        UserError: the data are images.
    """
    if data.kind != "vector":
        raise UserError(f"{data.name}: an animation needs vector data, found images; use the figure `partition`")
    run, plane = runs[0], fit_plane(data.train)
    shown = thin(len(data.train), MAX_POINTS)
    points = plane.project(data.train[shown])
    pictures = [_draw_round(run, number, plane, points, shown) for number in choose_rounds(run.rounds)]
    _write_gif(pictures, out)


def choose_rounds(rounds: list[int], limit: int = MAX_PICTURES) -> list[int]:
    """At most `limit` rounds, the first and the last among them, and denser at the start, where most happens."""
    if len(rounds) <= limit:
        return rounds
    places = np.unique(np.round((len(rounds) - 1) * np.linspace(0, 1, limit) ** 1.6).astype(int))
    return [rounds[place] for place in places]


def _draw_round(run: FinishedRun, number: int, plane: Plane, points: np.ndarray, shown: np.ndarray) -> "Image":
    """Draw one round: points in their component's colour on the left, samples over the data on the right."""
    from PIL import Image

    metrics, samples = run.round_metrics(number), run.component_samples(number)
    colors = np.array(style.component_colors(len(samples)))
    figure = style.make_figure(7.2, 3.75, dpi=DPI)
    left, right = figure.subplots(1, 2)
    draw_points(left, points, colors[run.assignments(number).component[shown]], size=8)
    _draw_samples(right, plane, points, samples, colors)
    for axes, title in ((left, "who wins which point"), (right, "what the components make")):
        plane.set_view(axes)
        axes.set_title(title, fontsize=13)
    purity = f"   ·   {METRICS['purity']} {metrics['purity']:.2f}" if "purity" in metrics else ""
    figure.supxlabel(f"round {number} of {run.rounds[-1]}{purity}", fontsize=13)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return Image.open(buffer).convert("RGB")


def _draw_samples(axes: "Axes", plane: Plane, points: np.ndarray, samples: np.ndarray, colors: np.ndarray) -> None:
    draw_points(axes, points, "#d8d8d8", size=12)
    for j, color in enumerate(colors):
        draw_points(axes, plane.project(samples[j]), color, size=6)


def _write_gif(pictures: "list[Image]", out: Path) -> None:
    """Write all pictures with the palette of the last one, so that colours do not flicker."""
    from PIL import Image

    palette = pictures[-1].quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.putpalette([255 if value > 248 else value for value in palette.getpalette() or []])  # white stays white
    flat = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    durations = [FIRST_MS] + [PICTURE_MS] * (len(flat) - 2) + [LAST_MS] if len(flat) > 1 else [LAST_MS]
    with write_atomically(out) as partial:
        flat[0].save(
            partial, format="GIF", save_all=True, append_images=flat[1:], duration=durations, loop=0, optimize=True
        )
