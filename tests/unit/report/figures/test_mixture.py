"""Samples of every model: which panels there are."""

from types import SimpleNamespace

import numpy as np
import pytest
from fakes import make_plan

from competitive_mixtures.data import load_dataset
from competitive_mixtures.report.figures import mixture, style


@pytest.fixture
def titles(project, monkeypatch, tmp_path):
    """Draw some models' samples; gives the titles of the panels that are left, by row."""

    def draw(*models):
        found = []

        def save(figure, out):
            rows = sorted({axes.get_position().y0 for axes in figure.axes}, reverse=True)
            found.extend([axes.get_title() for axes in figure.axes if axes.get_position().y0 == y] for y in rows)

        monkeypatch.setattr(style, "save", save)
        data = load_dataset(project / "data/processed" / make_plan()[0].dataset)
        samples = {name: np.asarray(data.train[:50]) for name in ("competitive.-", *models)}
        with style.house_style():
            mixture.plot_mixture([SimpleNamespace(model_samples=lambda: samples)], data, tmp_path / "figure.png")
        return found

    return draw


def test_a_gaussian_mixture_has_one_panel_and_a_network_two(titles):
    above, below = titles("single.paper", "single.equal_compute", "gaussian_mixture.-")
    assert above == ["training data", "mixture", "one network", "Gaussian\nmixture"]
    assert len(below) == 1
