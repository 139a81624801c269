"""The figure of a round's cost: `python benchmarks/cost_figure.py docs/bench-epyc.csv docs/costs.png`.

The lines' slopes are the exponents of power laws: least squares through the logarithms, from the sizes on that outweigh
a round's fixed costs.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import numpy as np
from curves import LARGE, fit_exponent
from matplotlib.ticker import LogLocator
from pairs import COLUMNS

from competitive_mixtures.files.tables import read_rows
from competitive_mixtures.report.figures.style import INK, METHOD_COLORS, TEXT_WIDTH, house_style, make_figure, save

PANELS = {
    "points": "points, each drawn once",
    "components": "components, samples in all alike",
    "seeds": "seeds, a job each",
}
FIRST = {"points": LARGE, "components": 12, "seeds": 1}  # sizes from which on the exponent is fitted
HEIGHT = 2.2  # inches


def read_curve(path: Path, kind: str) -> tuple[list[int], list[float]]:
    """Sizes and seconds of the rows `round_<size>_<kind>`, by size."""
    hits = ((re.fullmatch(rf"round_(\d+)_{kind}", row["name"]), row) for row in read_rows(path, COLUMNS))
    found = {int(hit[1]): float(row["ours_s"]) for hit, row in hits if hit}
    return sorted(found), [found[size] for size in sorted(found)]


def draw_panel(axes: Any, kind: str, sizes: list[int], seconds: list[float]) -> None:
    """One curve in logarithms, with the line of its exponent."""
    fitted = [(size, s) for size, s in zip(sizes, seconds, strict=True) if size >= FIRST[kind]]
    exponent = fit_exponent(*zip(*fitted, strict=True))
    x, y = (np.array(column, dtype=float) for column in zip(*fitted, strict=True))
    level = np.exp(np.mean(np.log(y) - exponent * np.log(x)))
    axes.loglog(x, level * x**exponent, color=METHOD_COLORS["ours"], linewidth=0.8)
    axes.loglog(sizes, seconds, "o", color=METHOD_COLORS["ours"], markersize=4)
    axes.set(xlabel=PANELS[kind], xticks=sizes, ylim=(min(seconds) / 2, max(seconds) * 3))
    axes.set_xticklabels([f"$10^{{{int(np.log10(size))}}}$" if kind == "points" else size for size in sizes])
    axes.minorticks_off()
    if max(seconds) < 100 * min(seconds):
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.text(0.05, 0.9, f"exponent {exponent:.2f}", transform=axes.transAxes, color=INK)


def draw(table: Path, out: Path) -> None:
    """Draw the three curves side by side."""
    with house_style():
        figure = make_figure(TEXT_WIDTH, HEIGHT)
        for axes, kind in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
            draw_panel(axes, kind, *read_curve(table, kind))
        figure.axes[0].set_ylabel("CPU seconds")
        save(figure, out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    draw(arguments.table, arguments.out)
