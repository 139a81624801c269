"""The competition on vector data as an animated GIF: who owns which point, and what the components make, by round."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.errors import UserError
from competitive_mixtures.files import write_atomically
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.plane import Plane, draw_points, fit_plane, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

    from competitive_mixtures.data import Dataset
    from competitive_mixtures.report.results import Run

MAX_FRAMES = 30
MAX_POINTS = 1800
FRAME_MS, FIRST_MS, LAST_MS = 220, 900, 2600
DPI = 96


def plot_animation(runs: "list[Run]", data: "Dataset", out: Path) -> None:
    """Animate the first seed: one frame a round, the early ones complete where there are more than fit.

    Args:
        runs: the seeds of one experiment; the first one is shown.
        data: its data set, of vectors.
        out: a `.gif` file.

    Raises:
        UserError: the data are images.
    """
    if data.kind != "vector":
        raise UserError(f"{data.name}: an animation needs vector data, found images; use the figure `partition`")
    style.use_style()
    run, plane = runs[0], fit_plane(data.train)
    shown = thin(len(data.train), MAX_POINTS)
    points = plane.project(data.train[shown])
    frames = [_draw_frame(run, number, plane, points, shown) for number in choose_frames(run.rounds)]
    _write_gif(frames, out)


def choose_frames(rounds: list[int], limit: int = MAX_FRAMES) -> list[int]:
    """At most `limit` rounds, denser at the start, where most happens; first and last are always among them."""
    if len(rounds) <= limit:
        return rounds
    places = np.unique(np.round((len(rounds) - 1) * np.linspace(0, 1, limit) ** 1.6).astype(int))
    return [rounds[place] for place in places]


def _draw_frame(run: "Run", number: int, plane: Plane, points: np.ndarray, shown: np.ndarray) -> "Image":
    """One round: the points in their component's colour on the left, samples over the data on the right."""
    import io

    import matplotlib.pyplot as plt
    from PIL import Image

    metrics, samples = run.round_metrics(number), run.component_samples(number)
    colors = np.array(style.component_colors(len(samples)))
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.75), dpi=DPI)
    draw_points(left, points, colors[run.assignments(number)["component"][shown]], size=8)
    _draw_samples(right, plane, points, samples, colors)
    for axes, title in ((left, "who wins which point"), (right, "what the components make")):
        plane.frame(axes)
        axes.set_title(title, fontsize=13)
    purity = f"   ·   purity {metrics['purity']:.2f}" if "purity" in metrics else ""
    figure.supxlabel(f"round {number} of {run.rounds[-1]}{purity}", fontsize=13)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    plt.close(figure)
    return Image.open(buffer).convert("RGB")


def _draw_samples(axes: "Axes", plane: Plane, points: np.ndarray, samples: np.ndarray, colors: np.ndarray) -> None:
    draw_points(axes, points, "#d8d8d8", size=12)
    for j, color in enumerate(colors):
        draw_points(axes, plane.project(samples[j]), color, size=6)


def _write_gif(frames: "list[Image]", out: Path) -> None:
    """All frames with the palette of the last one, so that colours do not flicker."""
    from PIL import Image

    palette = frames[-1].quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.putpalette([255 if value > 248 else value for value in palette.getpalette() or []])  # white stays white
    flat = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [FIRST_MS] + [FRAME_MS] * (len(flat) - 2) + [LAST_MS] if len(flat) > 1 else [LAST_MS]
    with write_atomically(out) as partial:
        flat[0].save(
            partial, format="GIF", save_all=True, append_images=flat[1:], duration=durations, loop=0, optimize=True
        )
