import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.report.figures.catalogue import PLOTS, list_figures, split_name


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
    per_experiment = sum(plot.subject == "experiment" and not plot.once for plot in PLOTS.values())
    assert len(list_figures(["a"], ["b"])) == len(files) + per_experiment
