"""Which run stands for an experiment in the figure of all partitions, and that its panel says so."""

import shutil

import pytest
from fakes import make_plan

from competitive_mixtures.files.folders import RunFolder
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.draw import plot_figure
from competitive_mixtures.report.figures.partitions import choose_run
from competitive_mixtures.report.results import FinishedRun
from competitive_mixtures.report.scores import Scores


@pytest.mark.parametrize(
    ("reached", "seed"),
    [({0: 4, 1: 4}, 0), ({0: 2, 1: 4, 2: 4}, 1), ({0: 1, 1: 3, 2: 2}, 1), ({1: 2, 2: 2}, 1)],
)
def test_the_lowest_finished_seed_or_the_one_that_has_come_furthest(tmp_path, reached, seed):
    runs = []
    for number, last in reached.items():
        folder = tmp_path / f"results/experiments/toy/seed-{number}"
        for place in range(last + 1):
            (folder / f"rounds/{place}").mkdir(parents=True)
            (folder / f"rounds/{place}/metrics.json").write_text("{}")
        runs.append(FinishedRun(RunFolder(folder), 4))
    assert choose_run(runs, 4).seed == seed


def test_every_panel_says_seed_and_round(project, tmp_path, monkeypatch):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    for seed in (0, 1, 2):  # none is finished, and seed 1 has come furthest
        for number in range(3 if seed == 1 else 2, 5):
            shutil.rmtree(root / f"results/experiments/synthetic-3/seed-{seed}/rounds/{number}")
    drawn = []
    monkeypatch.setattr(style, "save", lambda figure, out: drawn.append(figure))
    plan = make_plan()
    plot_figure("partitions", tmp_path / "x.png", root=root, plan=plan, scores=Scores(root, plan))
    titles = [axes.get_title().splitlines()[-1] for axes in drawn[0].axes if axes.get_title()]
    assert any(title.startswith("seed 1, round 2 of 4, purity") for title in titles)
    assert any(title.startswith("seed 0, round 4, purity") for title in titles)
