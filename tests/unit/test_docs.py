"""What the documents say to write works when it is written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from examples import make_estimators_experiment
from jsonschema import Draft202012Validator

from competitive_mixtures.settings.json_schema import make_schema
from competitive_mixtures.settings.schema import load_params

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

FIT = """
import numpy as np, yaml
from sklearn.metrics import adjusted_rand_score
from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.data import load_dataset, prepare
from competitive_mixtures.settings.reference import make_documents
from competitive_mixtures.settings.schema import DatasetSpec
from competitive_mixtures.settings.messages import validate
from pydantic import TypeAdapter

with open("blocks.yaml") as file:
    blocks, specs = yaml.safe_load(file)
random = np.random.default_rng(0)
label = random.integers(3, size=600)
X = random.normal(size=(600, 2)) @ [[1, 0.8], [0, 0.4]] + np.array([[-6, 0], [6, 0], [0, 9]])[label]
model = CompetitiveMixture(3, random_state=0, settings=blocks).fit(X)
assert adjusted_rand_score(label, model.labels_) > 0.9, model.weights_
own = model.sample(3000)
for j in range(3):
    cell, points = X[model.labels_ == j], own[0][own[1] == j]
    assert np.allclose(points.mean(0), cell.mean(0), atol=0.5), (points.mean(0), cell.mean(0))
    assert np.allclose(np.cov(points.T), np.cov(cell.T), atol=0.6), (np.cov(points.T), np.cov(cell.T))
(name, block), = specs["datasets"].items()
prepare(validate(TypeAdapter(DatasetSpec), block, name), "raw", "data", name)
dataset = load_dataset("data", verify=True)
explained = make_documents()["docs/settings.md"]
assert "of kind `full_gaussian`" in explained and "of kind `rings`" in explained
assert dataset.train.shape == (3000, 2) and dataset.meta["label_names"] == ["ring 0", "ring 1", "ring 2"]
"""


def read_blocks(path, language):
    return [text for kind, text in BLOCK.findall((ROOT / path).read_text()) if kind == language]


def run(code, folder, source):
    environment = os.environ | {"PYTHONPATH": str(source), "MPLBACKEND": "Agg", "PYTHONWARNINGS": "error"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_new_kinds_as_the_document_writes_them(tmp_path):
    source = tmp_path / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    package = source / "competitive_mixtures"
    stack, settings, rings = read_blocks("docs/extending.md", "python")
    (package / "networks/full_gaussian.py").write_text(stack)
    (package / "data/rings.py").write_text(rings)
    config = package / "settings/components.py"
    config.write_text(config.read_text().replace("\n\nComponent = ", f"\n\n{settings}\n\nComponent = "))
    ensemble = package / "networks/ensemble.py"
    imported = "from competitive_mixtures.networks.full_gaussian import FullGaussianStack\n"
    ensemble.write_text(ensemble.read_text().replace("\nKinds = ", f"\n{imported}\nKinds = "))
    edited = [config, ensemble, package / "data/registry.py"]
    for change in read_blocks("docs/extending.md", "diff"):
        old, new = (line[1:] for line in change.splitlines())
        (file,) = (file for file in edited if old in file.read_text())
        file.write_text(file.read_text().replace(old, new))
    component, dataset = map(yaml.safe_load, read_blocks("docs/extending.md", "yaml"))
    (tmp_path / "blocks.yaml").write_text(yaml.safe_dump([component, dataset]))
    run(FIT, tmp_path, source)


def test_the_example_of_the_readme(tmp_path):
    (example,) = (text for text in read_blocks("README.md", "python") if "CompetitiveMixture" in text)
    run(example, tmp_path, ROOT / "src")
    assert (tmp_path / "mixture.png").stat().st_size > 10_000


def test_blocks_for_own_data_are_sound_in_params_yaml():
    blocks = read_blocks("docs/own-data.md", "yaml")
    data, pictures, experiments = (block.split("\n", 1) for block in blocks[:3])
    assert (data[0], pictures[0], experiments[0]) == ("datasets:", "datasets:", "experiments:")
    text = (ROOT / "params.yaml").read_text().replace("\ndatasets:\n", f"\ndatasets:\n{data[1]}{pictures[1]}")
    content = yaml.safe_load(f"{text}\n{experiments[1]}")
    assert Draft202012Validator(make_schema()).is_valid(content)
    params = load_params(content)
    assert params.experiments["mine"].num_components == 3
    assert params.datasets["mine"].inputs == ("my data/points.npz",)
    assert params.experiments["pictures"].dataset == "pictures"


def test_the_block_of_the_estimators_way_is_its_way():
    *_, way = read_blocks("docs/own-data.md", "yaml")
    experiments = f"  mine:\n    extends: synthetic-9\n    components: [{{<<: *toy_vae, count: 3}}]\n{way}"
    found = load_params(yaml.safe_load(f"{(ROOT / 'params.yaml').read_text()}\n{experiments}")).experiments["mine"]
    expected = make_estimators_experiment(num_points=10_000)
    for block in ("components", "training", "scoring", "revival"):
        assert getattr(found, block) == getattr(expected, block)
