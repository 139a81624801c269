import shutil

import pytest
from fakes import make_plan
from PIL import Image

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.figures.catalogue import list_figures
from competitive_mixtures.report.figures.draw import plot_all
from competitive_mixtures.report.summary import summarize

EXPERIMENTS = ["synthetic-3", "mnist"]


@pytest.mark.parametrize("file", list_figures(EXPERIMENTS))
def test_every_figure_is_drawn_byte_for_byte_again(draw, tmp_path, file):
    first, second = (draw(file.rpartition(".")[0], tmp_path / name / file, EXPERIMENTS) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    if first.suffix == ".png":
        with Image.open(first) as image:
            assert min(image.size) > 200
    else:
        assert first.read_text().endswith("</svg>\n")


def test_all_figures_of_what_has_run(project, tmp_path):
    plan = [planned for planned in make_plan() if planned.name != "synthetic-9"]
    files = plot_all(project, tmp_path, plan=plan)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in files)
    assert sorted(path.name for path in files) == sorted([*list_figures(EXPERIMENTS), "animation-synthetic-3.gif"])


def test_missing_runs_are_named(draw, tmp_path):
    with pytest.raises(UserError, match="celeba-vae: found no run"):
        draw("rounds-celeba-vae", tmp_path / "x.svg")


def test_an_experiment_that_params_yaml_lacks_is_named(draw, tmp_path):
    with pytest.raises(UserError, match="no experiment 'mnist-old'"):
        draw("rounds-mnist-old", tmp_path / "x.svg")


def test_an_experiment_that_varies_none_has_no_figure_beside_another(draw, tmp_path):
    with pytest.raises(UserError, match="'mnist' extends no experiment on the same data"):
        draw("ablation-mnist", tmp_path / "x.svg")


def test_rounds_of_a_longer_run_are_left_out(draw, project, tmp_path):
    longer = tmp_path / "project"
    shutil.copytree(project, longer)
    for seed in range(3):
        rounds = longer / f"results/experiments/mnist/seed-{seed}/rounds"
        shutil.copytree(rounds / "4", rounds / "5")
    same = [draw("rounds-mnist", tmp_path / f"{root.name}.svg", root=root) for root in (project, longer)]
    assert same[0].read_bytes() == same[1].read_bytes()


def test_an_ablation_is_drawn_beside_its_base(draw, project, tmp_path):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    ablation = "synthetic-9-no-pretraining"
    shutil.copytree(root / "results/experiments/synthetic-9", root / "results/experiments" / ablation)
    shutil.rmtree(root / f"results/experiments/{ablation}/seed-1")  # a seed that only the base has
    summarize(root.glob("results/experiments/*/seed-*"), root / "results")
    plot_all(root, tmp_path, plan=[planned for planned in make_plan() if planned.name in ("synthetic-9", ablation)])
    assert (tmp_path / f"ablation-{ablation}.svg").read_text().endswith("</svg>\n")
    shutil.rmtree(root / "results/experiments/synthetic-9")
    with pytest.raises(UserError, match="synthetic-9: found no run"):
        draw(f"ablation-{ablation}", tmp_path / "b.svg", root=root)
