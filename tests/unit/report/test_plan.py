from dataclasses import replace

import pytest
from fakes import ROOT, make_plan

from competitive_mixtures.files.formats import write_json
from competitive_mixtures.report.best_likelihood import read_bounds
from competitive_mixtures.report.plan import list_ablations, list_variants, read_plan
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import write_resolved


@pytest.fixture
def planned(tmp_path):
    """A folder with the plan of this project."""
    write_resolved(read_params(ROOT / "params.yaml"), tmp_path)
    return tmp_path


def name_ablations(plan):
    return {ablation.name: base.name for ablation, base in list_ablations(plan)}


def test_an_ablation_varies_what_it_extends(planned):
    assert name_ablations(make_plan()) == {"synthetic-9-no-pretraining": "synthetic-9"}
    bases = name_ablations(read_plan(planned))
    assert bases["mnist-shared-layers-pretrained"] == "mnist"  # not `mnist-shared-layers`, as its name may suggest
    assert bases["synthetic-9-plain-no-balancing"] == "synthetic-9-plain"
    assert bases["synthetic-9-bound"] == "synthetic-9"  # written with `<<`
    assert bases["synthetic-9-ganmm"] == "synthetic-9-gan-plain"
    assert not bases.keys() & {"synthetic-9-tuned", "synthetic-9-redrawn", "mnist-autoencoder"}
    assert not bases.keys() & {"mnist-gan", "fashion-mnist"}  # of other suites


def test_the_demo_is_not_reported(planned):
    assert "demo" in read_params(ROOT / "params.yaml").experiments
    assert "demo" not in {experiment.name for experiment in read_plan(planned)}


def test_other_data_is_no_ablation():
    plan = make_plan()
    own = replace(plan[0], name="mine", suite="ablations", dataset="my points", extends="synthetic-3")
    alone = replace(plan[0], name="alone", suite="ablations")
    assert name_ablations([*plan, own, alone]) == name_ablations(plan)


@pytest.mark.parametrize("changes", [{"baselines": ["single"]}, {"tuning": {"looks": 5}, "equal_compute": "all"}, {}])
def test_other_baselines_and_other_draws_are_no_ablation(changes):
    base = make_plan()[0]
    same = replace(base, name="same", suite="ablations", extends=base.name, settings=base.settings | changes)
    assert name_ablations([base, same]) == {}


def test_the_models_that_should_have_scores():
    planned = replace(make_plan()[0], baselines=("single",))
    assert planned.models == [("competitive", "-"), ("single", "paper"), ("single", "equal_compute")]
    rivals = replace(planned, baselines=("autoencoder_kmeans", "gaussian_mixture"))
    assert rivals.models[1:] == [("autoencoder_kmeans", "paper"), ("gaussian_mixture", "-")]


@pytest.mark.parametrize("kind", ["vector", "image"])
def test_prepared_data_says_of_what_kind_it_is(planned, kind):
    write_json(planned / "data/processed/mnist/meta.json", {"kind": kind})
    kinds = {experiment.dataset: experiment.kind for experiment in read_plan(planned)}
    assert kinds["mnist"] == kind
    assert kinds["synthetic-3"] == "vector"  # Gaussians are vectors before they are prepared
    assert kinds["celeba"] == "image"


def test_bounds_are_those_of_the_data(tmp_path):
    plan = make_plan()
    write_json(tmp_path / "data/processed/synthetic-3/meta.json", {"log_likelihood_bound": -4.5})
    write_json(tmp_path / "data/processed/mnist/meta.json", {"kind": "image"})
    assert read_bounds(tmp_path, plan) == {"synthetic-3": -4.5, "synthetic-3-paper": -4.5}


def test_every_experiment_says_whose_method_it_is(planned):
    methods = {entry.name: entry.method for entry in read_plan(planned)}
    assert [methods[name] for name in ("synthetic-9-paper", "synthetic-9-plain", "synthetic-9")] == [
        "paper", "plain", "ours",
    ]  # fmt: skip
    assert methods["mnist"] == methods["celeba-gan"] == "plain"  # no step of ours, but none of the authors' settings
    assert methods["synthetic-9-no-revival"] == "ours"  # which still standardises by cell
    assert methods["mnist-paper-short"] == "paper"
    assert methods["mnist-latent"] == "ours"  # without revival, and by the data alone no paper's method either
    variants = list_variants(read_plan(planned))
    names = {method: entry.name for method, entry in variants["synthetic-9"].items()}
    assert names == {"paper": "synthetic-9-paper", "plain": "synthetic-9-plain", "ours": "synthetic-9"}
    assert variants["mnist"]["paper"].name == "mnist-paper-short"
    assert "synthetic-9-plain-no-balancing" not in variants


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("revival", {"every": 3}),
        ("representation", {"kind": "autoencoder"}),
        ("training", {"init": "kmeans"}),
        ("training", {"held_out": 0.2}),
        ("training", {"standardize": "covariances"}),
        ("scoring", {"kind": "offset_classifier"}),
        ("scoring", {"kind": "classifier"}),
        ("scoring", {"assignment": "posterior"}),
        ("scoring", {"trunk": "shared"}),
    ],
)
@pytest.mark.parametrize("suite", ["default", "authors"])
def test_whatever_is_not_the_papers_is_ours(suite, key, value):
    plain = {"revival": None, "representation": None}
    plain |= {"training": {"init": "uniform", "held_out": 0.0, "standardize": "data"}}
    plain |= {"scoring": {"kind": "discriminators", "assignment": "density", "trunk": "separate"}}
    planned = replace(make_plan()[0], suite=suite, settings=plain)
    assert planned.method == {"default": "plain", "authors": "paper"}[suite]
    changed = value if key in ("revival", "representation") else plain[key] | value
    assert replace(planned, settings=plain | {key: changed}).method == "ours"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scoring", {"kind": "bound"}),
        ("scoring", {"kind": "soft_bound"}),
        ("exploration", {"share": 0.5, "decay": 0.7}),
    ],
)
@pytest.mark.parametrize("revival", [None, {"every": 3}])
def test_relatives_of_the_papers_method_are_nobody_elses(revival, key, value):
    settings = {"revival": revival, "training": {"init": "uniform", "standardize": "data"}, key: value}
    planned = replace(make_plan()[0], settings=settings)
    assert planned.method == "relative"
    assert planned.remedied == (revival is not None)
