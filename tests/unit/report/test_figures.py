import shutil

import numpy as np
import pytest
from fakes import make_plan
from PIL import Image

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.figures import PLOTS, list_figures, plot_all, plot_figure, split_name
from competitive_mixtures.report.figures.ablation import find_base
from competitive_mixtures.report.figures.animation import choose_frames
from competitive_mixtures.report.figures.labels import label_shares, order_components
from competitive_mixtures.report.figures.mosaic import tile
from competitive_mixtures.report.figures.plane import fit_plane, thin
from competitive_mixtures.report.figures.style import pick_rounds

EXPERIMENTS = ["synthetic-3", "mnist"]


@pytest.mark.parametrize("file", list_figures(EXPERIMENTS))
def test_every_figure_is_drawn_byte_for_byte_again(project, tmp_path, file):
    first, second = tmp_path / "first" / file, tmp_path / "second" / file
    for out in (first, second):
        plot_figure(first.stem, out, root=project, experiments=EXPERIMENTS)
    assert first.read_bytes() == second.read_bytes()
    if first.suffix == ".png":
        with Image.open(first) as image:
            assert min(image.size) > 200
    else:
        assert first.read_text().endswith("</svg>\n")


def test_names_are_split_at_the_plot():
    assert split_name("partition-synthetic-3") == ("partition", "synthetic-3")
    assert split_name("scores") == ("scores", None)


@pytest.mark.parametrize("name", ["partition", "scores-mnist", "histogram-mnist", ""])
def test_unknown_figures_are_refused_with_the_known_ones(name):
    with pytest.raises(UserError, match="partition-<experiment>"):
        split_name(name)


def test_experiments_without_labels_have_no_heat_map():
    files = list_figures([], ["celeba-vae"])
    assert "partition-celeba-vae.png" in files
    assert not any(file.startswith("labels") for file in files)
    per_experiment = sum(plot.of_experiment and plot.listed for plot in PLOTS.values())
    assert len(list_figures(["a"], ["b"])) == len(files) + per_experiment


def test_all_figures_of_what_has_run(project, tmp_path):
    plan = [planned for planned in make_plan() if planned.name != "synthetic-9"]
    files = plot_all(project, tmp_path, plan=plan)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in files)
    assert sorted(path.name for path in files) == sorted(
        [*list_figures(["synthetic-3", "mnist"]), "animation-synthetic-3.gif"]
    )


def test_missing_runs_are_named(project, tmp_path):
    with pytest.raises(UserError, match="celeba-vae: found no run"):
        plot_figure("rounds-celeba-vae", tmp_path / "x.svg", root=project)
    with pytest.raises(UserError, match="found no run"):
        plot_figure("rounds-mnist", tmp_path / "x.svg", root=project, seeds=[7])


def test_first_middle_and_last_round():
    assert pick_rounds(range(13)) == [0, 6, 12]
    assert pick_rounds([0, 1]) == [0, 1]
    assert pick_rounds([0]) == [0]


def test_label_shares_are_row_shares():
    table = {"label": np.array([0, 0, 0, 2]), "component": np.array([1, 1, 0, 0])}
    shares = label_shares(table, 3)
    np.testing.assert_allclose(shares, [[1 / 3, 2 / 3, 0], [0, 0, 0], [1, 0, 0]])
    assert order_components(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist() == [1, 0]


def test_tile_places_pictures_row_by_row():
    images = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1) * 10
    canvas = tile(images, columns=2, rows=2, gap=1)
    assert canvas.shape == (3, 3, 3)
    assert canvas[::2, ::2, 0].tolist() == [[255, 245], [235, 255]]  # inverted; the last place is blank
    assert (canvas[1] == 255).all()


def test_plane_keeps_two_dimensions_and_reduces_more():
    points = np.random.default_rng(0).normal(size=(500, 5)) * [1, 2, 9, 1, 4]
    flat = fit_plane(points).project(points)
    variance = np.sort(np.linalg.eigvalsh(np.cov(points.T)))[::-1]
    np.testing.assert_allclose(flat.var(axis=0, ddof=1), variance[:2])
    np.testing.assert_array_equal(fit_plane(points[:, :2]).project(points[:, :2]), points[:, :2])
    assert fit_plane(points[:, :1]).project(points[:, :1]).shape == (500, 2)


def test_thin_keeps_all_of_few():
    assert thin(3, 10).tolist() == [0, 1, 2]
    assert len(np.unique(thin(10_000, 100))) == 100


def test_the_animation_has_a_frame_a_round_and_stable_bytes(project, tmp_path):
    for name in ("a.gif", "b.gif"):
        plot_figure("animation-synthetic-9", tmp_path / name, root=project)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 5


def test_an_ablation_is_drawn_beside_its_base(project, tmp_path):
    root = tmp_path / "project"
    (root / "results").mkdir(parents=True)
    (root / "data").symlink_to(project / "data")
    for name, source in (("mnist", "mnist"), ("mnist-no-pretraining", "mnist"), ("synthetic-3", "synthetic-3")):
        shutil.copytree(project / "results" / source, root / "results" / name)
    assert find_base("mnist-no-pretraining", root / "results") == "mnist"
    shutil.rmtree(root / "results/mnist-no-pretraining/seed-1")  # a seed that only the base has
    plot_figure("ablation-mnist-no-pretraining", tmp_path / "a.svg", root=root)
    assert (tmp_path / "a.svg").read_text().endswith("</svg>\n")


def test_images_are_not_animated(project, tmp_path):
    with pytest.raises(UserError, match="vector"):
        plot_figure("animation-mnist", tmp_path / "a.gif", root=project)


def test_long_runs_are_thinned_at_their_end():
    frames = choose_frames(list(range(200)), limit=20)
    assert (frames[0], frames[-1]) == (0, 199)
    assert len(frames) <= 20
    assert np.all(np.diff(frames) >= 1)
    assert frames[1] - frames[0] < frames[-1] - frames[-2]
