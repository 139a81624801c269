import csv
import json
import re
import shutil

import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.summary import ROUND_COLUMNS, SUMMARY_COLUMNS, summarize

FILES = ("summary.csv", "rounds.csv", "timing.csv", "metrics.json")


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_score_is_a_row(project):
    rows = read(project / "results/summary.csv")
    assert tuple(rows[0]) == SUMMARY_COLUMNS
    expected = 0
    for path in project.glob("results/experiments/*/seed-*/evaluation/scores.csv"):
        expected += len(path.read_text().splitlines()) - 1
    assert len(rows) == expected
    run = project / "results/experiments/synthetic-3/seed-1/evaluation/scores.csv"
    value = next(row["value"] for row in read(run) if (row["model"], row["metric"]) == ("competitive", "purity"))
    key = {"experiment": "synthetic-3", "seed": "1", "model": "competitive", "metric": "purity"}
    assert [row["value"] for row in rows if key.items() <= row.items()] == [value]


def test_rows_stand_in_a_fixed_order(project):
    rows = read(project / "results/summary.csv")
    assert list(dict.fromkeys(row["experiment"] for row in rows)) == ["mnist", "synthetic-3", "synthetic-9"]
    assert rows[0]["model"] == "competitive"


def test_bytes_do_not_depend_on_the_order_of_the_runs(project, tmp_path):
    folders = sorted(project.glob("results/experiments/*/seed-*"))
    summarize(reversed(folders), tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (project / "results" / name).read_bytes()


def test_rounds_hold_the_scalars_of_every_round(project):
    rows = read(project / "results/rounds.csv")
    assert tuple(rows[0]) == ROUND_COLUMNS
    assert len(rows) == 3 * 3 * 5
    row = next(row for row in rows if (row["experiment"], row["seed"], row["round"]) == ("mnist", "2", "1"))
    metrics = json.loads((project / "results/experiments/mnist/seed-2/rounds/1/metrics.json").read_text())
    assert float(row["objective"]) == metrics["objective"]
    assert float(row["smallest_cell"]) == pytest.approx(min(metrics["counts"]) / 60)
    assert float(row["seconds"]) == pytest.approx(3.75)
    assert row["revived"] == "1"


def test_seconds_are_summed_by_phase(project):
    rows = read(project / "results/timing.csv")
    seconds = {
        row["phase"]: float(row["seconds"]) for row in rows if (row["experiment"], row["seed"]) == ("mnist", "0")
    }
    assert seconds["pretrain"] == pytest.approx(4.2)
    assert seconds["train"] == pytest.approx(5 * 2.0)
    assert seconds["baseline.single_wide"] == pytest.approx(6.5)


def test_seconds_show_in_the_tables_of_runs_and_in_no_metric(project, tmp_path):
    """What `docs/storage.md` says of the checksums in `dvc.lock`."""
    shutil.copytree(project / "results/experiments", tmp_path / "runs")
    for path in tmp_path.glob("runs/**/metrics.json"):
        metrics = json.loads(path.read_text())
        metrics["seconds"] = {phase: 3 * seconds for phase, seconds in metrics["seconds"].items()}
        path.write_text(json.dumps(metrics))
    for path in tmp_path.glob("runs/**/scores.csv"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(re.sub(r"(,train_time_s,.*),.*", r"\1,7", line) for line in lines))
    summarize(tmp_path.glob("runs/*/seed-*"), tmp_path / "out")
    same = {name: (tmp_path / "out" / name).read_bytes() == (project / "results" / name).read_bytes() for name in FILES}
    assert same == {"summary.csv": False, "rounds.csv": False, "timing.csv": False, "metrics.json": True}


def test_metrics_are_means_over_seeds(project):
    nested = json.loads((project / "results/metrics.json").read_text())
    rows = read(project / "results/summary.csv")
    key = {"experiment": "synthetic-9", "model": "single", "protocol": "paper", "metric": "log_likelihood"}
    values = [float(row["value"]) for row in rows if key.items() <= row.items()]
    assert len(values) == 3
    assert nested["synthetic-9"]["log_likelihood"]["single.paper"] == pytest.approx(sum(values) / 3)


def test_rounds_beyond_the_last_are_ignored(project, tmp_path):
    summarize(project.glob("results/experiments/*/seed-*"), tmp_path, rounds={"mnist": 2})
    rounds = [row["round"] for row in read(tmp_path / "rounds.csv") if row["experiment"] == "mnist"]
    assert sorted(set(rounds)) == ["0", "1", "2"]


def test_training_scores_and_reasons(project, tmp_path):
    run = tmp_path / "results/experiments/mnist/seed-0"
    shutil.copytree(project / "results/experiments/mnist/seed-0", run)
    with (run / "evaluation/scores.csv").open("a") as file:
        file.write("competitive,-,recall,train,0.25\ncompetitive,-,fid,test,nan\n")
    summarize([run], tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())["mnist"]
    assert metrics["recall_train"] == {"competitive": 0.25}
    assert "competitive" in metrics["purity"]
    assert "fid" not in metrics
    assert "train_time_s" not in metrics


def test_a_run_whose_scores_are_of_training_points_only_counts_too(project, tmp_path):
    """Images without a classifier, say: nothing is scored on test points there."""
    run = tmp_path / "results/experiments/mnist/seed-0"
    shutil.copytree(project / "results/experiments/mnist/seed-0", run)
    lines = (run / "evaluation/scores.csv").read_text().splitlines(keepends=True)
    (run / "evaluation/scores.csv").write_text("".join(line for line in lines if ",test," not in line))
    summarize([run], tmp_path)
    assert "purity" in json.loads((tmp_path / "metrics.json").read_text())["mnist"]


def test_a_run_without_scores_is_named(project, tmp_path):
    run = tmp_path / "results/experiments/mnist/seed-0"
    shutil.copytree(project / "results/experiments/mnist/seed-0", run)
    (run / "evaluation/scores.csv").unlink()
    with pytest.raises(UserError, match=r"evaluation/scores\.csv: not found"):
        summarize([run], tmp_path)


def test_other_columns_are_refused(project, tmp_path):
    run = tmp_path / "results/experiments/mnist/seed-0"
    shutil.copytree(project / "results/experiments/mnist/seed-0", run)
    (run / "evaluation/scores.csv").write_text("model,value\nsingle,1\n")
    with pytest.raises(UserError, match="expected"):
        summarize([run], tmp_path)
