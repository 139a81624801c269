from dataclasses import replace

import pytest
from fakes import ROOT, make_plan

from competitive_mixtures.files import write_json
from competitive_mixtures.report.bounds import read_bounds
from competitive_mixtures.report.plan import find_base, read_plan


def test_the_base_is_the_longest_name():
    plan = [replace(make_plan()[0], name=name) for name in ("mnist", "mnist-gan", "mnist-gan-long-rounds")]
    assert find_base("mnist-gan-long-rounds", plan).name == "mnist-gan"
    assert find_base("mnist", plan).name == "mnist"


def test_the_models_that_should_have_scores():
    planned = replace(make_plan()[0], baselines=("single",))
    assert planned.models == [("competitive", "-"), ("single", "paper"), ("single", "equal_compute")]


@pytest.mark.parametrize("kind", ["vector", "image"])
def test_prepared_data_says_of_what_kind_it_is(tmp_path, kind):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    write_json(tmp_path / "data/processed/mnist/meta.json", {"kind": kind})
    kinds = {planned.dataset: planned.kind for planned in read_plan(tmp_path)}
    assert kinds["mnist"] == kind
    assert kinds["synthetic-3"] == "vector"  # Gaussians are vectors before they are prepared
    assert kinds["celeba"] == "image"


def test_bounds_are_those_of_the_data(tmp_path):
    plan = make_plan()
    write_json(tmp_path / "data/processed/synthetic-3/meta.json", {"log_likelihood_bound": -4.5})
    write_json(tmp_path / "data/processed/mnist/meta.json", {"kind": "image"})
    assert read_bounds(tmp_path, plan) == {"synthetic-3": -4.5, "synthetic-3-paper": -4.5}
