"""Draw a figure of every kind, write all tables and pages and compile the report: a program for test_surroundings.py.

Called as `make_report.py ROOT OUT`, with a made-up project as ROOT, which stays as it is.
"""

import sys
from pathlib import Path

from competitive_mixtures.launch.user_settings import set_aside

FIGURES = (
    "partition-synthetic-3.png", "partition-mnist.png", "mixture-mnist.png", "rounds.svg",
    "labels-synthetic-3.svg", "animation-synthetic-3.gif", "ablations.svg", "claims.svg",
    "partitions.png", "scores.svg", "authors.svg",
    "compute.svg", "timing.svg",
)  # fmt: skip


def make_report(root: Path, out: Path) -> None:
    from fakes import make_plan

    from competitive_mixtures.report.compile import compile_paper
    from competitive_mixtures.report.figures.draw import plot_figure
    from competitive_mixtures.report.scores import Scores
    from competitive_mixtures.report.summary import summarize
    from competitive_mixtures.report.tables.write import write_tables

    plan = make_plan()
    scores = Scores(root, plan)
    for file in FIGURES:
        plot_figure(file.rpartition(".")[0], out / "figures" / file, root=root, plan=plan, scores=scores)
    summarize(sorted(root.glob("results/experiments/*/seed-*")), out)
    write_tables(root, out / "tables", plan=plan)
    compile_paper(root, out / "paper.pdf")


if __name__ == "__main__":
    set_aside(())
    make_report(Path(sys.argv[1]), Path(sys.argv[2]))
