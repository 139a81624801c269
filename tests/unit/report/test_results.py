import shutil

import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import Results, RunFolder
from competitive_mixtures.report.results import FinishedRun, find_runs


@pytest.fixture
def run(project, tmp_path):
    """A run of its own, to be damaged."""
    folder = tmp_path / "results/experiments/mnist/seed-2"
    shutil.copytree(project / "results/experiments/mnist/seed-2", folder)
    return FinishedRun(RunFolder(folder))


def test_a_run_is_read_from_its_folder(run):
    assert (run.experiment, run.seed, run.rounds) == ("mnist", 2, [0, 1, 2, 3, 4])
    assert run.round_metrics(3)["round"] == 3
    assert run.component_samples(4).shape == (10, 16, 1, 8, 8)
    assert len(run.assignments(0).component) == len(run.assignments(0).label) == 600
    assert list(run.baseline_metrics()) == ["bagging", "kmeans", "single", "single_wide"]


def test_samples_come_without_their_components(run):
    samples = run.model_samples()
    assert len(samples) == 1 + 4 * 2
    assert {array.shape for array in samples.values()} == {(600, 1, 8, 8)}


def test_rounds_after_the_last_are_not_seen(run):
    assert FinishedRun(run.files, last_round=2).rounds == [0, 1, 2]
    shutil.rmtree(run.files.round(0).path.parent)
    with pytest.raises(UserError, match="found no finished round"):
        _ = run.rounds


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no archive"])
def test_damaged_samples_are_named(run, content):
    path = run.files.evaluation.samples
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UserError, match=r"samples\.npz: (not found|expected NumPy arrays)"):
        run.model_samples()


def test_runs_are_found_by_seed(project):
    assert [run.seed for run in find_runs(Results(project / "results"), "mnist")] == [0, 1, 2]
    assert [run.seed for run in find_runs(Results(project / "results"), "mnist", seeds=[2, 0])] == [0, 2]
    with pytest.raises(UserError, match="mnist: found no run"):
        find_runs(Results(project / "results"), "mnist", seeds=[7])
