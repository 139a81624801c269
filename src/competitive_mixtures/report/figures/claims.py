"""The verdicts on one page: where every comparison of a claim lies, and the deciding one in its own unit."""

import math
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.tables import read_fields
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.result_tables import ResultTables
from competitive_mixtures.report.names import word_verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = {"holds": "#117733", "fails": "#882255", "open": "#777777"}
VERDICT_COLORS = {"reproduced": COLORS["holds"], "not reproduced": COLORS["fails"]}
REACH = 6.0  # half-widths of an interval on either side of the threshold
WIDTH = 46  # characters of a line beside the axis
LINE, GAP, FOOT = 0.108, 0.13, 0.3  # inches: of a line of text, between two rows, and below the axis
Row = dict[str, str]


def plot_claims(tables: ResultTables, out: Path) -> None:
    """Draw one row a claim: its comparisons by their distance from the threshold, and the deciding one in words.

    Args:
        tables: where the project lies; `results/claims.csv` and `claim_parts.csv` have the verdicts.
        out: an `.svg` file.
    """
    results = Project(tables.root).results
    claims = _rows(results.claims)
    parts = [row for row in _rows(results.claim_parts) if row["criterion"] in ("now", "authors")]
    texts = [(_left(claim), _right(claim)) for claim in claims]
    heights = [GAP + LINE * max(map(len, pair)) for pair in texts]
    figure = style.make_figure(style.TEXT_WIDTH, sum(heights) + FOOT, layout="none")
    foot = FOOT / (sum(heights) + FOOT)
    axes = figure.add_axes((0.345, foot, 0.31, 1 - foot))
    top = 0.0
    for claim, pair, height in zip(claims, texts, heights, strict=True):
        _draw_parts(axes, top, height, [part for part in parts if part["id"] == claim["id"]])
        _write(axes, top + height / 2, pair, VERDICT_COLORS.get(claim["verdict"], style.INK))
        top += height
        axes.axhline(top, color="#e4e4e4", linewidth=0.5, xmin=-0.75, xmax=2, clip_on=False)
    axes.axvline(0, color=style.INK, linewidth=0.7)
    axes.set(xlim=(-REACH, REACH), ylim=(top, 0), yticks=[])
    axes.set_xticks([-REACH + 0.5, 0, REACH - 0.5], ["against the claim", "threshold", "for the claim"])
    axes.tick_params(axis="x", length=0)
    axes.spines["left"].set_visible(False)
    style.save(figure, out)


def _rows(path: Path) -> list[Row]:
    header, rows = read_fields(path)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _draw_parts(axes: "Axes", top: float, extent: float, parts: list[Row]) -> None:
    """Draw the comparisons above each other in a row of this extent in inches.

    A comparison of every run is a square at the edge of its side; those at the authors' settings have open marks. A
    cross at the threshold is a comparison without an interval: not run, or of one seed.
    """
    for number, part in enumerate(parts):
        height = top + extent * (0.1 + 0.8 * (number + 0.5) / len(parts))
        if part["outcome"] not in COLORS or part["ci_low"] == "":
            axes.plot(0, height, "o", color="white", markersize=4.5, zorder=3)  # the threshold's line would hide it
            axes.plot(0, height, "x", color=COLORS["open"], markersize=3, markeredgewidth=0.7, zorder=4)
            continue
        color = COLORS[part["outcome"]]
        fill: dict[str, Any] = {
            "markerfacecolor": "white" if part["criterion"] == "authors" else color,
            "markeredgewidth": 0.7,
        }
        if part["unit"] == "of the runs":
            edge = REACH * {"holds": 0.9, "open": 0.0, "fails": -0.9}[part["outcome"]]
            axes.plot(edge, height, "s", color=color, markersize=2.5, **fill)
            continue
        low, center, high = place_part(part)
        ends = [min(max(end, -REACH), REACH) for end in (low, high)]
        axes.plot(ends, [height] * 2, color=color, linewidth=0.8, solid_capstyle="butt")
        inside = abs(center) <= REACH
        marker = "o" if inside else ">" if center > 0 else "<"
        place_x = min(max(center, -REACH), REACH)
        axes.plot(
            place_x,
            height,
            marker,
            color=color,
            markersize=2 if part["criterion"] == "now" else 2.6,
            clip_on=False,
            **fill,
        )


def place_part(part: Row) -> tuple[float, float, float]:
    """Where a comparison's interval begins, its effect lies, and its interval ends, from the threshold.

    In half-widths of the interval, positive on the claim's side. An interval that is cut at the end of a metric's range
    has its effect beside its middle; one without extent lies beyond the axis.
    """
    side, threshold = int(part["side"]), float(part["threshold"])
    low, center, high = (side * (float(part[name]) - threshold) for name in ("ci_low", "effect", "ci_high"))
    half = abs(high - low) / 2
    if not half:
        return (math.copysign(2 * REACH, center),) * 3
    low, high = sorted((low, high))
    return low / half, center / half, high / half


def _left(claim: Row) -> list[str]:
    """The lines to the left of a row: the claim, whole."""
    return textwrap.wrap(f"{claim['id']}  {claim['claim']}", WIDTH)


def _right(claim: Row) -> list[str]:
    """The lines to the right: the verdict, all else about it, and the comparison that decides it, whole."""
    beside = word_verdict("", claim["preliminary"], claim["scope"]).strip()
    verdicts = [claim["verdict"], *textwrap.wrap(beside, WIDTH)]
    if claim["authors_verdict"]:
        there = word_verdict(claim["authors_verdict"], claim["authors_preliminary"])
        verdicts += textwrap.wrap(f"authors' settings: {there}", WIDTH)
    deciding = re.sub(r" ([<>≤≥]) ", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", claim["deciding"])  # with its number
    return [*verdicts, *textwrap.wrap(deciding, WIDTH), _number(claim)]


def _write(axes: "Axes", middle: float, texts: tuple[list[str], list[str]], color: str) -> None:
    """Write the lines to the left and to the right of a row; the first one on the right is the verdict."""
    left, (verdict, *others) = texts
    _write_block(axes, -0.06, middle, left, ha="right")
    _write_block(axes, 1.05, middle - LINE * len(others) / 2, [verdict], ha="left", color=color, weight="bold")
    _write_block(axes, 1.05, middle + LINE / 2, others, ha="left")


def _write_block(axes: "Axes", place: float, middle: float, lines: list[str], **look: Any) -> None:
    text = "\n".join(lines).replace("$", r"\$")
    words = axes.text(place, middle, text, transform=axes.get_yaxis_transform(), va="center", **look)
    words.set(fontsize=6.5, linespacing=1.1, in_layout=False)


def _number(claim: Row) -> str:
    """The effect with its interval, unit and seeds, say `0.74 nats (0.49 to 0.99), n = 10`."""
    if claim["effect"] == "":
        return "not run"
    unit = f" {claim['unit']}" if claim["unit"] else ""
    ends = [f"{float(claim[name]):.2f}".replace("-", "−") for name in ("ci_low", "ci_high") if claim[name] != ""]
    span = f" ({ends[0]} to {ends[1]})" if ends else ""
    return f"{float(claim['effect']):.2f}".replace("-", "−") + f"{unit}{span}, n = {claim['n']}"
