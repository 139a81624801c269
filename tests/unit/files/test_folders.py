"""Names of files: the same for a job and for a rule, and read back from a path."""

from pathlib import Path

import pytest

from competitive_mixtures.files.folders import Project, Results, RunFolder


def test_a_name_may_be_a_wildcard():
    pattern = Project().results.run("{experiment}", "{seed}").round("{round}").state
    assert str(pattern) == "results/experiments/{experiment}/seed-{seed}/rounds/{round}/state.safetensors"
    assert str(pattern).format(experiment="a", seed=3, round=2) == str(Project().results.run("a", 3).round(2).state)


def test_a_run_knows_where_it_lies():
    run = RunFolder("home/results/experiments/mnist-gan/seed-12")
    assert (run.experiment, run.seed) == ("mnist-gan", 12)
    assert run.results.settings(run.experiment) == Path("home/results/settings/mnist-gan.json")


@pytest.mark.parametrize("name", ["settings", "tables", "classifiers", "pages", "plan", "experiments", "summary"])
def test_no_experiment_collides_with_what_belongs_to_all(name):
    results = Results("results")
    others = [results.plan, results.claims, results.claim_parts, results.pages, *results.summary.files]
    others += [results.settings(name), results.summary_of(name).path, results.classifier(name).path]
    folder = results.run(name, 0).path
    assert not any(folder.is_relative_to(other) or other.is_relative_to(folder) for other in others)


def test_round_0_starts_from_the_pretraining():
    run = RunFolder("results/experiments/a/seed-0")
    assert run.before_round(0).path == run.pretraining.path
    assert run.before_round(7).path == run.round(6).path


def test_what_is_there_is_listed_in_order(tmp_path):
    results = Results(tmp_path)
    for seed in (10, 9):
        for number in (10, 9, 0):
            metrics = results.run("a", seed).round(number).metrics
            metrics.parent.mkdir(parents=True)
            metrics.touch()
        results.run("a", seed).round(11).path.mkdir()  # which its job has only begun
        results.run("a", seed).baseline("single").metrics.parent.mkdir(parents=True)
    results.run("a", 9).baseline("single").metrics.touch()
    runs = results.list_runs("a")
    assert [run.seed for run in runs] == [9, 10]
    assert [run.list_rounds() for run in runs] == [[0, 9, 10]] * 2
    assert [run.list_baselines() for run in runs] == [["single"], []]
    assert results.list_runs("b") == []
