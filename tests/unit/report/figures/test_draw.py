import csv
import shutil
from types import SimpleNamespace

import pytest
from fakes import ROOT, make_plan
from PIL import Image

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.figures import style
from competitive_mixtures.report.figures.catalogue import list_figures
from competitive_mixtures.report.figures.claims import place_part, plot_claims
from competitive_mixtures.report.figures.draw import plot_all, plot_figure
from competitive_mixtures.report.names import word_verdict
from competitive_mixtures.report.scores import Scores

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
        draw("mixture-celeba-vae", tmp_path / "x.svg")


def test_an_experiment_that_params_yaml_lacks_is_named(draw, tmp_path):
    with pytest.raises(UserError, match="no experiment 'mnist-old'"):
        draw("mixture-mnist-old", tmp_path / "x.svg")


def test_rounds_of_a_longer_run_are_left_out(draw, project, tmp_path):
    longer = tmp_path / "project"
    shutil.copytree(project, longer)
    for seed in range(3):
        rounds = longer / f"results/experiments/mnist/seed-{seed}/rounds"
        shutil.copytree(rounds / "4", rounds / "5")
    same = [draw("labels-mnist", tmp_path / f"{root.name}.svg", root=root) for root in (project, longer)]
    assert same[0].read_bytes() == same[1].read_bytes()


def test_the_authors_settings_are_drawn_beside_their_code(project, tmp_path, monkeypatch):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    for name in ("summary", "rounds"):
        path = root / f"results/{name}.csv"
        text = path.read_text()
        same = [
            line.replace("synthetic-3,", "synthetic-3-paper,") for line in text.splitlines() if "synthetic-3," in line
        ]
        path.write_text(text + "\n".join(same) + "\n")
    drawn = []
    monkeypatch.setattr(style, "save", lambda figure, out: drawn.append(figure))
    plan = make_plan()
    plot_figure("authors", tmp_path / "x.svg", root=root, plan=plan, scores=Scores(root, plan))
    purity, churn = drawn[0].axes
    assert [axes.get_title() for axes in (purity, churn)] == ["purity", "share of points that moved"]
    assert [len(line.get_xdata()) for line in churn.lines] == [5, 5, 5]  # three seeds of five rounds
    code = [line for line in purity.lines if line.get_linestyle() == "--"]
    assert len(purity.lines) == 3 + len(code)
    assert [len(line.get_xdata()) for line in code] == [5, 17, 13]  # the runs of paper/authors_code.csv on three modes
    assert purity.get_xlim()[1] >= 16
    assert [line.get_label() for line in drawn[0].legends[0].get_lines()][:3] == ["seed 0", "seed 1", "seed 2"]


def test_ablations_are_drawn_with_what_lies_beyond_the_axis(project, tmp_path, monkeypatch):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    header = (root / "paper/tables/ablations.csv").read_text().splitlines()[0]
    fields = {"base": "synthetic-9", "method": "ours", "metric": "log_likelihood", "p": "0.06", "status": "run"}
    rows = []
    for number in range(12):
        effect = -50.0 if number == 5 else 0.1 * number
        values = {
            "ablation": f"synthetic-9-{number}",
            "label": f"synthetic-9: {number}",
            "difference": effect,
            "ci_low": effect - 0.3,
        }
        values["n"] = 4 if number == 11 else 5
        values |= {"ci_high": effect + 0.3, "values": f"0:{effect - 0.1} 1:{effect + 0.1}"}
        rows.append(",".join(str((fields | values).get(name, "")) for name in header.split(",")))
    (root / "paper/tables/ablations.csv").write_text("\n".join([header, *rows]) + "\n")
    drawn = []
    monkeypatch.setattr(style, "save", lambda figure, out: drawn.append(figure))
    plan = make_plan()
    plot_figure("ablations", tmp_path / "x.svg", root=root, plan=plan, scores=Scores(root, plan))
    axes = drawn[0].axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()][:2] == ["synthetic-9: 0", "synthetic-9: 1"]
    assert [text.get_text() for text in axes.texts] == ["less ours:"]  # what the rows are compared with
    assert axes.get_xlim()[0] > -50
    assert [line.get_marker() for line in axes.lines].count("<") == 2  # both ends of one interval
    colors = {line.get_ydata()[0]: line.get_color() for line in axes.lines if line.get_marker() == "o"}
    assert set(colors.values()) == {"#117733", "#777777"}
    assert (colors[10], colors[11]) == ("#117733", "#777777")  # the last has too few seeds for a clear difference


@pytest.mark.parametrize(
    ("side", "expected"), [("1", (-0.75, 0.25, 1.25)), ("-1", (-1.25, -0.25, 0.75))], ids=["above", "below"]
)
def test_a_clipped_interval_of_a_claim_is_drawn_from_end_to_end(side, expected):
    """The mean is not its middle: here the upper end is cut at the end of the metric's range."""
    part = {"effect": "0.96", "ci_low": "0.92", "ci_high": "1.0", "threshold": "0.95", "side": side}
    assert place_part(part) == pytest.approx(expected)
    part |= {"effect": "0.98", "ci_low": "0.92"}
    low, center, high = place_part(part)
    assert (high - low, (low + high) / 2) == pytest.approx((2, 0.25 * int(side)))
    assert center == pytest.approx(0.75 * int(side))


def test_claims_are_written_whole_and_within_the_figure(tmp_path, monkeypatch):
    """Of the kept verdicts: every word of a claim and of its deciding comparison, and no two rows on one another."""
    (tmp_path / "results").mkdir()
    for name in ("claims.csv", "claim_parts.csv"):
        shutil.copyfile(ROOT / "paper/verdict" / name, tmp_path / "results" / name)
    drawn = []
    monkeypatch.setattr(style, "save", lambda figure, out: drawn.append(figure))
    with style.house_style():
        plot_claims(SimpleNamespace(root=tmp_path), tmp_path / "x.svg")
        (figure,) = drawn
        figure.draw_without_rendering()
        texts = figure.axes[0].texts
        boxes = [text.get_window_extent() for text in texts]
    shown = [" ".join(text.get_text().split()) for text in texts]
    with (tmp_path / "results/claims.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row, left, verdict, others in zip(rows, shown[::3], shown[1::3], shown[2::3], strict=True):
        right = f"{verdict} {others}"
        assert left.replace("- ", "-") == f"{row['id']} {row['claim']}".replace("- ", "-")
        assert row["deciding"].replace("- ", "-") in right.replace("- ", "-")
        said = f"{word_verdict(row['verdict'], row['preliminary'], row['scope'])} "
        said += f"authors' settings: {word_verdict(row['authors_verdict'], row['authors_preliminary'])} " * bool(
            row["authors_verdict"]
        )
        assert right.replace("- ", "-").startswith(said)
    with (tmp_path / "results/claim_parts.csv").open(newline="", encoding="utf-8") as file:
        first = next(csv.DictReader(file))  # cut at a purity of 1
    low, center, high = place_part(first)
    assert center != pytest.approx((low + high) / 2)
    assert [low, high] in [pytest.approx(list(line.get_xdata())) for line in figure.axes[0].lines[:3]]
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    for above, below in zip(boxes[::3], boxes[3::3], strict=False):
        assert below.y1 < above.y0
    for above, below in zip(boxes[1::3], boxes[2::3], strict=True):  # a verdict and the lines below it
        assert below.y1 < above.y1
    for above, below in zip(boxes[2::3], boxes[4::3], strict=False):
        assert below.y1 < above.y0
