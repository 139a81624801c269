import csv
import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from fakes import BOUND, ROOT, copy_paper, make_plan
from scipy import stats

from competitive_mixtures.report.plan import read_plan
from competitive_mixtures.report.tables import TABLES, write_tables
from competitive_mixtures.report.tables.ablations import describe_changes, find_base
from competitive_mixtures.report.tables.likelihood import entropy
from competitive_mixtures.report.tables.settings import deviation_rows, flatten


@pytest.fixture(scope="module")
def tables(project, tmp_path_factory):
    root = tmp_path_factory.mktemp("tables") / "project"
    shutil.copytree(project, root)
    copy_paper(root)
    write_tables(root, root / "paper/tables", plan=make_plan())
    return root / "paper/tables"


def read(path, **wanted):
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if wanted.items() <= row.items()]


def test_a_cell_is_the_mean_and_students_interval_of_the_summary(tables):
    key = {"experiment": "synthetic-9", "model": "bagging", "protocol": "paper", "metric": "log_likelihood"}
    (cell,) = read(tables / "density.csv", **key)
    values = [float(row["value"]) for row in read(tables.parents[1] / "results/summary.csv", **key)]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert [float(cell[name]) for name in ("mean", "ci_low", "ci_high")] == pytest.approx([np.mean(values), low, high])
    assert cell["n"] == "3"
    assert [float(pair.split(":")[1]) for pair in cell["values"].split()] == values


def test_no_cell_is_empty_without_a_reason(tables):
    assert {path.name for path in tables.iterdir()} == set(TABLES)
    for path in tables.glob("*.csv"):
        for row in read(path):
            if "status" in row:
                assert row["status"] == "run" or row["status"].startswith("not run: "), path
                assert (row["status"] == "run") == bool(row.get("mean", row.get("value", row["status"] == "run"))), path


@pytest.mark.parametrize(
    ("table", "experiment", "metric", "reason"),
    [
        ("density", "synthetic-6", "log_likelihood", "no results yet"),
        ("density", "synthetic-3-paper", "log_likelihood", "part of the suite paper_scale"),
        ("images", "celeba-vae", "fid", "part of the suite paper_scale"),
        ("images", "mnist", "fid", "the experiment does not ask for it (evaluation.fid_features)"),
    ],
)
def test_reasons(tables, table, experiment, metric, reason):
    rows = read(tables / f"{table}.csv", experiment=experiment, metric=metric)
    assert {row["status"] for row in rows} == {f"not run: {reason}"}


def test_the_drafts_numbers_lose_the_entropy_of_the_weights(tables):
    values = {(row["experiment"], row["row"]): row["value"] for row in read(tables / "likelihood.csv")}
    assert float(values["synthetic-3", "competitive_with_log_alpha"]) == pytest.approx(-3.47 - math.log(3))
    assert float(values["synthetic-9", "competitive_with_log_alpha"]) == pytest.approx(-0.99 - math.log(9))
    unequal = 4 / 6 * math.log(6) + 1 / 3 * math.log(3)
    assert float(values["synthetic-6", "competitive_with_log_alpha"]) == pytest.approx(-1.29 - unequal)
    assert float(values["synthetic-3", "bound"]) == BOUND
    assert values["synthetic-6", "bound"] == ""


def test_the_best_single_network_is_the_better_of_the_two(tables):
    means = [
        float(read(tables / "density.csv", experiment="synthetic-3", model=model, protocol="paper")[0]["mean"])
        for model in ("single", "single_wide")
    ]
    (row,) = read(tables / "likelihood.csv", experiment="synthetic-3", row="best_single")
    assert float(row["value"]) == max(means)


def test_entropy():
    assert entropy("1/2 1/2") == pytest.approx(math.log(2))
    assert entropy("1 0") == 0


def test_the_authors_runs_end_where_the_reference_says(tables):
    (row,) = read(tables / "authors_code.csv", experiment="synthetic-3", run="kvaes, original samplers")
    rounds = read(ROOT / "paper/authors_code.csv", experiment="synthetic-3", run="kvaes, original samplers")
    assert row["log_likelihood_test"] == rounds[-1]["log_likelihood_test"]
    assert float(row["cpu_s"]) == pytest.approx(sum(float(row["cpu_round_s"]) for row in rounds), abs=0.1)


def test_the_plan_names_what_has_not_run(tables):
    status = {row["experiment"]: (row["seeds_run"], row["status"]) for row in read(tables / "experiments.csv")}
    assert status["mnist"] == ("3", "run")
    assert status["synthetic-6"] == ("0", "not run: no results yet")


def test_deviations_are_found_and_explained(tables):
    rows = read(tables / "deviations.csv")
    assert [(row["setting"], row["ours"], row["authors"]) for row in rows] == [("batch_size", "256", "32")]
    assert rows[0]["reason"] == "larger batches are faster"


def test_a_departure_without_a_reason_says_so(tmp_path):
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper/deviations.yaml").write_text("rounds: shorter\n")
    (row,) = deviation_rows(tmp_path, make_plan())
    assert row["reason"] == "not given in paper/deviations.yaml"


@pytest.mark.skipif(not (ROOT / "params.yaml").is_file(), reason="params.yaml is not written yet")
def test_every_departure_of_the_project_has_its_reason():
    rows = deviation_rows(ROOT, read_plan(ROOT))
    assert [(row["experiment"], row["setting"]) for row in rows if row["reason"].startswith("not given")] == []


def test_flatten_names_nested_settings():
    settings = {
        "components": [{"kind": "vae", "count": 2}, {"kind": "gan"}],
        "revival": None,
        "hidden": [50, 50],
        "of": [],
    }
    assert dict(flatten(settings)) == {
        "components.kind": "vae",
        "components.count": "2",
        "components.1.kind": "gan",
        "revival": "none",
        "hidden": "50, 50",
        "of": "none",
    }


class TestAblations:
    def test_differences_are_paired_by_seed(self, project, tmp_path):
        root = tmp_path / "project"
        shutil.copytree(project, root)
        copy_paper(root)
        with (root / "results/summary.csv").open("a") as file:
            for seed, value in ((0, -5.0), (2, -5.5), (7, -9.0)):
                file.write(f"synthetic-9-no-pretraining,{seed},competitive,-,log_likelihood,test,{value}\n")
        write_tables(root, tmp_path, plan=make_plan())
        (row,) = read(tmp_path / "ablations.csv", metric="log_likelihood")
        base = {
            row["seed"]: float(row["value"])
            for row in read(
                root / "results/summary.csv", experiment="synthetic-9", model="competitive", metric="log_likelihood"
            )
        }
        assert row["n"] == "2"
        assert float(row["difference"]) == pytest.approx(np.mean([-5.0 - base["0"], -5.5 - base["2"]]))
        assert float(row["ablation_mean"]) == pytest.approx(-5.25)  # of the seeds that both have, as the difference
        assert float(row["base_mean"]) == pytest.approx(np.mean([base["0"], base["2"]]))
        (row,) = read(tmp_path / "ablations.csv", metric="purity")
        assert row["status"] == "not run: no value in summary.csv"

    def test_the_base_is_the_longest_name(self):
        plan = [replace(make_plan()[0], name=name) for name in ("mnist", "mnist-gan", "mnist-gan-long-rounds")]
        assert find_base("mnist-gan-long-rounds", plan).name == "mnist-gan"
        assert find_base("mnist", plan).name == "mnist"

    def test_changes_are_read_off_the_settings(self):
        base = make_plan()[0]
        changed = replace(base, settings=base.settings | {"batch_size": 8, "reset": False})
        assert describe_changes(base, changed) == "batch_size: 256 → 8; reset: none → false"


def test_one_seed_has_a_mean_and_no_interval(project, tmp_path):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    copy_paper(root)
    path = root / "results/summary.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if line.split(",")[1] in ("seed", "0")))
    write_tables(root, tmp_path, plan=make_plan())
    for row in read(tmp_path / "density.csv", experiment="synthetic-3", metric="log_likelihood"):
        assert (row["n"], row["ci_low"], row["ci_high"]) == ("1", "", "")
        assert row["mean"]


def test_machine_facts_are_plain_json(tmp_path):
    from competitive_mixtures.report.environment import describe_machine

    facts = describe_machine(tmp_path)
    assert json.loads(json.dumps(facts)) == facts
    assert facts["cores"] >= 1
    assert facts["commit"] == "unknown"
