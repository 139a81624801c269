"""The schema of params.yaml: what is sound passes, everything else is the user's error, all of it at once."""

import ast
import copy
import json
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest
from examples import BLOBS, CONV_VAE, GAN, MLP, PARAMS, ROOT, VAE, change, params
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.schema import Experiment, load_params


def refuse(content):
    with pytest.raises(UserError) as caught:
        load_params(content)
    return str(caught.value).splitlines()


def test_sound_parameters():
    loaded = load_params(PARAMS)
    assert loaded.suite("default") == ["tiny"]
    assert loaded.suite("ablations") == []
    assert loaded.experiments["tiny"].num_components == 3


def test_the_projects_own_parameters():
    loaded = read_params(ROOT / "params.yaml")
    assert loaded.suite("default")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"trainning": {}}, "trainning: found {}: unknown key"),
        ({"training": {"step_per_round": 3}}, "training.step_per_round: found 3: unknown key"),
        ({"training": {"steps_per_round": -1}}, "training.steps_per_round: found -1: Input should be greater"),
        ({"training": {"steps_per_round": 0}}, "training.steps_per_round: found 0"),
        ({"training": {"steps_per_round": 1.5}}, "training.steps_per_round: found 1.5"),
        ({"training": {"steps_per_round": True}}, "training.steps_per_round: found True"),
        ({"training": {"pretraining_steps": -1}}, "training.pretraining_steps: found -1"),
        ({"training": {"standardize": True}}, "training.standardize: found True"),
        ({"training": {"backend": "fast"}}, "training.backend: found 'fast'"),
        ({"components": []}, "components: found []"),
        ({"components": [VAE | {"count": 0}]}, "components.0.count: found 0"),
        ({"components": [VAE | {"kind": "flow"}]}, "components.0: found"),
        ({"components": [change(VAE, optimizer={"learning_rate": "1e-4"})]}, "components.0.optimizer.learning_rate"),
        ({"components": [change(VAE, optimizer={"learning_rate": 0})]}, "components.0.optimizer.learning_rate"),
        ({"components": [change(VAE, optimizer={"beta1": 1.0})]}, "components.0.optimizer.beta1: found 1.0"),
        ({"components": [VAE | {"encoder": {"kind": "mlp", "hidden": []}}]}, "components.0.encoder.hidden: found []"),
        ({"components": [change(VAE, likelihood={"variance": -1.0})]}, "components.0.likelihood.variance: found -1.0"),
        ({"components": [change(VAE, likelihood={"variance": "known"})]}, "components.0.likelihood.variance: found 'k"),
        ({"components": [GAN | {"critic_steps": 0}]}, "components.0.critic_steps: found 0"),
        ({"components": [GAN | {"loss": "wgan_gp"}]}, "components.0.loss: found 'wgan_gp'"),
        (
            {"components": [change(GAN, loss={"gradient_penalty": 1.0})]},
            "components.0.loss.gradient_penalty: found 1.0",
        ),
        ({"components": [GAN | {"loss": {"kind": "wgan_gp"}}]}, "components.0.loss.gradient_penalty: Field required"),
        ({"scoring": {"kind": "classifier", "trunk": "shared"}}, "scoring.trunk: found 'shared': unknown key"),
        ({"scoring": {"kind": "bound", "network": MLP}}, "scoring.network: found {"),
        ({"balancing": {"min_share": 1.1}}, "balancing.min_share: found 1.1"),
        ({"balancing": {"min_share": float("nan")}}, "balancing.min_share: found nan"),
        ({"revival": {"every": 0, "min_share": 0.5, "until": 3}}, "revival.every: found 0"),
        ({"baselines": ["double"]}, "baselines.0: found 'double'"),
        ({"rounds": 0}, "rounds: found 0"),
        ({"suite": "other"}, "suite: found 'other'"),
        ({"resources": {"gpu": -1}}, "resources.gpu: found -1"),
        ({"device": "tpu"}, "device: found 'tpu'"),
        ({"shards": 4}, "shards: 4 is more than the 3 components"),
        ({"shards": 2, "training": {"shared_layers": 1}}, "training.shared_layers: components that share"),
        ({"training": {"shared_layers": 1, "backend": "loop"}}, "training.shared_layers: components that share"),
        ({"training": {"shared_layers": 2}}, "training.shared_layers: 2 of 2 layers leave"),
        ({"components": [GAN], "scoring": {"kind": "bound"}}, "scoring.kind: bound needs a likelihood bound"),
        ({"shards": 2, "scoring": {"kind": "soft_bound"}}, "scoring.kind: soft_bound trains every component"),
        ({"shards": 2, "scoring": {"kind": "classifier"}}, "scoring.kind: one classifier scores all"),
        ({"shards": 2, "scoring": {"trunk": "shared"}}, "scoring.trunk: discriminators that share"),
        ({"components": [VAE, GAN]}, "baselines: a mixed competition"),
        ({"evaluation": {"num_samples": 3}}, "evaluation.num_samples: expected more samples than num_neighbors"),
        ({"evaluation": {"fid_features": 64}}, "evaluation.num_samples: expected more samples than fid_features"),
        ({"dataset": "blob"}, "dataset: 'blob' is not one of datasets: ['blobs']"),
    ],
)
def test_a_mistake_is_named_with_its_key(changes, line):
    lines = refuse(params(**changes))
    assert any(found.startswith(f"params.yaml: experiments.tiny.{line}") for found in lines), lines


@pytest.mark.parametrize(
    "changes",
    [
        {"components": [VAE, GAN], "baselines": []},
        {"components": [CONV_VAE | {"count": 1}]},
        {"scoring": {"kind": "soft_bound"}},
        {"scoring": {"kind": "classifier", "reset": False}},
        {"training": {"shared_layers": 1, "backend": "auto"}},
        {"training": {"pretraining_steps": 0}},
        {"balancing": {"min_share": 0}},
        {"components": [change(VAE, optimizer={"learning_rate": 1})]},
        {"shards": 3},
    ],
)
def test_sound_variants(changes):
    assert load_params(params(**changes))


class TestTheWholeFile:
    def test_every_mistake_at_once(self):
        content = params(rounds=0, training={"batch_size": "many"}, scoring={"netwrok": MLP})
        content["seeds"] = 0
        content["datasets"]["blobs"] = BLOBS | {"variance": "wide"}
        content["experiments"] |= {"lost": {"extends": "nobody"}, "circle": {"extends": "circle"}, "number": 3}
        lines = refuse(content)
        for key in (
            "seeds",
            "datasets.blobs.variance",
            "experiments.tiny.rounds",
            "experiments.tiny.training.batch_size",
            "experiments.tiny.scoring.netwrok",
            "experiments.lost.extends",
            "experiments.circle.extends",
            "experiments.number",
        ):
            assert sum(line.startswith(f"params.yaml: {key}: ") for line in lines) == 1, key
        assert len(lines) == 8

    def test_all_conflicts_at_once(self):
        lines = refuse(params(shards=4, scoring={"kind": "classifier"}, training={"shared_layers": 3}))
        assert len(lines) == 4

    @pytest.mark.parametrize("content", [None, 3, "word", []])
    def test_no_mapping(self, content):
        assert refuse(content) == [
            f"params.yaml: found {type(content).__name__}, expected seeds, datasets and experiments"
        ]

    @pytest.mark.parametrize("name", ["a/b", "..", "", "a b", ".hidden", "-x", "é", "rate-0.1"])
    def test_names_are_names_of_folders_and_keys_of_dvc(self, name):
        content = params()
        content["experiments"][name] = content["experiments"]["tiny"]
        assert "should match pattern" in refuse(content)[0]

    @pytest.mark.parametrize("block", ["experiments", "datasets"])
    @pytest.mark.parametrize(("start", "repeated"), [("", "a"), ("wider-", "ab")])
    def test_no_name_looks_to_snakemake_like_a_loop(self, block, start, repeated):
        content = params()
        first = next(iter(content[block].values()))
        content[block][start + 19 * repeated] = first
        assert load_params(content)
        content[block][start + 20 * repeated] = first
        (line,) = refuse(content)
        assert line.startswith(f"params.yaml: {block}.{start}{20 * repeated}: ends with '{repeated}' twenty times")

    def test_a_kind_that_there_is_not_is_told_with_those_that_there_are(self):
        content = params()
        content["experiments"]["tiny"]["scoring"]["kind"] = "bounds"
        (line,) = refuse(content)
        assert line.startswith("params.yaml: experiments.tiny.scoring: found ")
        assert "'kind': expected one of 'discriminators', 'classifier'," in line

    def test_a_classifier_needs_more_samples_than_features(self):
        content = params()
        content["datasets"]["blobs"] = {"kind": "images", "path": "x", "size": 8, "classifier": True}
        assert refuse(content) == [
            "params.yaml: experiments.tiny.evaluation.num_samples: expected more than the 64 features of the "
            "classifier of 'blobs'"
        ]

    def test_extends(self):
        content = params()
        content["experiments"]["more"] = {"extends": "tiny", "suite": "ablations", "training": {"batch_size": 4}}
        loaded = load_params(content)
        assert loaded.experiments["more"].training.batch_size == 4
        assert loaded.experiments["more"].training.steps_per_round == 10
        assert loaded.suite("ablations") == ["more"]
        assert [loaded.experiments[name].extends for name in ("tiny", "more")] == [None, "tiny"]

    def test_what_an_experiment_extends_changes_none_of_its_settings(self):
        content = params()
        content["experiments"] |= {"twin": {"extends": "tiny"}, "third": {"extends": "twin"}}
        first, *others = load_params(content).experiments.values()
        assert [other.settings() for other in others] == [first.settings()] * 2
        assert "extends" not in first.settings()

    @pytest.mark.parametrize("kind", ["bound", "soft_bound"])
    def test_bounds_take_over_only_what_they_read(self, kind):
        """As `synthetic-9-bound` does, and with it the estimator's `settings={"scoring": {"kind": "bound"}}`."""
        content = params()
        content["experiments"]["em"] = {"extends": "tiny", "scoring": {"kind": kind}}
        content["experiments"]["weighed"] = {"extends": "em", "scoring": {"assignment": "posterior"}}
        loaded = load_params(content).experiments
        assert loaded["em"].settings()["scoring"] == {"kind": kind, "assignment": "density"}
        assert loaded["weighed"].settings()["scoring"] == {"kind": kind, "assignment": "posterior"}

    def test_missing_file(self, tmp_path):
        with pytest.raises(UserError, match=r"params.yaml: cannot be read.*project's root"):
            read_params(tmp_path / "params.yaml")

    @pytest.mark.parametrize("content", [b"a: [1", b"\xff\xfe\x00", b"a: 1\n\tb: 2"])
    def test_no_yaml(self, tmp_path, content):
        (tmp_path / "params.yaml").write_bytes(content)
        with pytest.raises(UserError, match="expected YAML"):
            read_params(tmp_path / "params.yaml")


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.floats(),
    st.sampled_from(["", "auto", "1e-4", "gaussian", "learned", "mlp"]),
    st.just([]),
    st.just([0]),
    st.just({}),
    st.just({"kind": "mlp", "hidden": [2]}),
)


def paths(content, path=()):
    """Where every value of nested mappings and lists is."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in pairs:
        yield (*path, key)
        yield from paths(value, (*path, key))


@given(data=st.data())
def test_mutated_parameters_are_sound_or_the_users_error(data):
    content = copy.deepcopy(PARAMS)
    for _ in range(data.draw(st.integers(1, 3))):
        *parents, key = data.draw(st.sampled_from(list(paths(content))))
        node = content
        for parent in parents:
            node = node[parent]
        if isinstance(node, dict) and data.draw(st.booleans()):
            node.pop(key)
        else:
            node[key] = copy.deepcopy(data.draw(VALUES))  # a later change may go into it
    mistakes = []
    try:
        experiments = load_params(content).experiments
    except UserError as error:
        experiments, mistakes = {}, str(error).splitlines()
    assert all(line.startswith("params.yaml: ") for line in mistakes)
    for experiment in experiments.values():
        Experiment.model_validate(json.loads(json.dumps(experiment.settings(), allow_nan=False)))


def test_reading_params_needs_no_pytorch():
    code = "import sys; from competitive_mixtures.settings.overlays import read_params; read_params()"
    code += "; print({'torch', 'sklearn', 'pandas', 'snakemake'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def test_no_file_of_the_settings_imports_one_that_imports_it():
    """Imports inside functions and for type checkers count too."""
    package = "competitive_mixtures.settings."
    imports = {}
    for path in (ROOT / "src/competitive_mixtures/settings").glob("*.py"):
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        imports[path.stem] = {node.module.removeprefix(package) for node in nodes if node.module.startswith(package)}
    assert imports["schema"] >= {"blocks", "components", "experiment", "scoring"}
    order = list(TopologicalSorter(imports).static_order())  # CycleError where there is a circle
    assert order.index("components") < order.index("scoring") < order.index("schema")
