"""One look for all figures: fonts, sizes, and colours that colour-blind readers and grey printers can tell apart.

Nothing of the user's Matplotlib enters: `house_style` starts from the defaults that Matplotlib ships, and figures are
made without `pyplot`, so that no backend is looked for.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from competitive_mixtures.files.access import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEXT_WIDTH = 6.3  # inches, the text width of the paper
DPI = 200
FONTS = ("STIXGeneral", "DejaVu Sans")  # Matplotlib brings both; the second has what the first lacks, Arabic say

# Paul Tol's "muted" scheme, ordered so that neighbours differ in lightness too
COMPONENT_COLORS = (
    "#332288", "#ddcc77", "#117733", "#88ccee", "#882255", "#44aa99", "#cc6677", "#999933", "#aa4499",
)  # fmt: skip
PRINTED: dict[str, Any] = {
    "precision": 8, "threshold": 1000, "edgeitems": 3, "linewidth": 75, "suppress": False, "nanstr": "nan",
    "infstr": "inf", "formatter": None, "sign": "-", "floatmode": "maxprec", "legacy": False,
}  # fmt: skip
"""How NumPy writes numbers: Matplotlib names the parts of an SVG file by hashes of what is printed."""
GREY = "#9a9a9a"
INK = "#222222"

METHOD_COLORS = {"paper": "#88ccee", "plain": "#117733", "ours": "#332288"}
METHOD_MARKERS = {"paper": "P", "plain": "X", "ours": "D"}
METHOD_LINES: dict[str, Any] = {"paper": ":", "plain": "--", "ours": "-"}
MODEL_COLORS = {
    "competitive": "#332288",
    "single": "#cc6677",
    "single_wide": "#882255",
    "bagging": "#ddaa33",
    "kmeans": "#44aa99",
    "autoencoder_kmeans": "#999933",
    "gaussian_mixture": "#aa4499",
    "data": INK,
}
MODEL_MARKERS = {
    "competitive": "D",
    "single": "o",
    "single_wide": "s",
    "bagging": "^",
    "kmeans": "v",
    "autoencoder_kmeans": "<",
    "gaussian_mixture": "h",
    "data": "*",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save the figures of the block in our style; the user's settings are as they were afterwards."""
    import matplotlib

    errors = np.errstate(divide="warn", over="warn", under="ignore", invalid="warn")  # NumPy's defaults, like PRINTED
    with matplotlib.rc_context(), errors, np.printoptions(**PRINTED):
        matplotlib.rcdefaults()
        _set_up()
        yield


def _set_up() -> None:
    import matplotlib

    matplotlib.rcParams.update(
        {
            "font.family": list(FONTS),
            "mathtext.fontset": "stix",
            "font.size": 9,
            "axes.titlesize": 9,
            "axes.labelsize": 9,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.fontsize": 8,
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.linewidth": 0.6,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.major.size": 2.5,
            "ytick.major.size": 2.5,
            "lines.linewidth": 1.4,
            "axes.grid": False,
            "grid.color": "#e4e4e4",
            "grid.linewidth": 0.5,
            "figure.constrained_layout.use": True,
            "figure.dpi": DPI,
            "savefig.dpi": DPI,
            "svg.fonttype": "path",
            "svg.hashsalt": "competitive-mixtures",
        }
    )


def make_figure(width: float, height: float, **settings: Any) -> "Figure":
    """An empty figure of this size in inches; `settings` as Matplotlib's `Figure` takes them."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), **settings)


def component_colors(count: int) -> list[str]:
    """A colour for every component; beyond nine they repeat, and only the numbers on the cells tell them apart."""
    return [COMPONENT_COLORS[j % len(COMPONENT_COLORS)] for j in range(count)]


def save(figure: "Figure", out: Path) -> None:
    """Write a figure as PNG or SVG; the same drawing gives the same bytes."""
    metadata = {"Date": None, "Creator": None} if out.suffix == ".svg" else {"Software": None}
    with write_atomically(out) as partial:
        figure.savefig(partial, metadata=metadata)


def panel_grid(count: int, columns: int, height: float) -> "tuple[Figure, list[Axes]]":
    """A figure as wide as the text with `count` panels in rows of `columns`.

    Args:
        count: number of panels.
        columns: panels in a row.
        height: of one row, in inches.
    """
    rows = max(1, -(-count // columns))
    figure = make_figure(TEXT_WIDTH, height * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[count:]:
        axes.remove()
    return figure, list(grid.flat[:count])


def strip_axes(axes: "Axes") -> None:
    """Take ticks and spines away: for panels that show points or images."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def share_label(value: float) -> str:
    """A share in percent, with one decimal below 1 %."""
    return f"{100 * value:.0f} %" if value >= 0.01 or value == 0 else f"{100 * value:.1f} %"


def pick_rounds(rounds: Sequence[int]) -> list[int]:
    """The first, the middle and the last of the finished rounds, each once."""
    return sorted({rounds[0], rounds[len(rounds) // 2], rounds[-1]})
