"""What `pip install` brings: the estimator without the pipeline, and nobody's `snakemake` is overwritten."""

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email import message_from_string
from email.message import Message
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
BASE = {"torch", "numpy", "scipy", "scikit-learn", "pandas", "safetensors", "pydantic", "tqdm"}
PIPELINE = {
    *("snakemake", "dvc", "typer", "pyyaml", "pyarrow", "rich", "torchvision", "pillow", "pytorch-fid"),
    *("threadpoolctl", "matplotlib", "typst", "snakemake-interface-logger-plugins"),
}
MODULES = {"scikit-learn": "sklearn", "pyyaml": "yaml", "pillow": "PIL", "pytorch-fid": "pytorch_fid"}
USE = """
import json, sys, warnings
warnings.filterwarnings("ignore", "CompetitiveMixture: components")  # so tiny a fit is no good
from importlib.util import find_spec
import numpy as np
from competitive_mixtures import CompetitiveMixture

assert not list(filter(find_spec, {absent}))
random = np.random.default_rng(0)
vectors = random.normal(size=(120, 2)) + 9 * (np.arange(120)[:, None] // 60)
images = random.integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
for X, component in ((vectors, "vae"), (vectors, "gan"), (images, "vae")):
    model = CompetitiveMixture(2, component=component, n_rounds=2, tol=0, steps_per_round=5, random_state=0).fit(X)
    model.save("model.safetensors")
    loaded = CompetitiveMixture.load("model.safetensors")
    assert (loaded.predict(X) == model.labels_).all()
    assert loaded.sample(7)[0].shape == (7, *X.shape[1:])
    assert np.isfinite(loaded.score(X))
    assert len(model.history_) == 3
sys.stderr.isatty = lambda: True  # a bar in the place of lines
CompetitiveMixture(2, n_rounds=1, steps_per_round=5, verbose=True).fit(vectors)
files = {{name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}}
print(json.dumps(files))
"""

HELP = """
import runpy, sys
script = f"{sys.path[0]}/bin/competitive-mixtures"
sys.argv = [script, "--help"]
runpy.run_path(script, run_name="__main__")
"""


@pytest.fixture(scope="module")
def metadata(built) -> Message:
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """A folder into which pip has installed the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    words = ["--quiet", "--no-index", "--no-deps", "--root-user-action=ignore", "--target", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "install", *words, str(built.wheel)], check=True)
    return folder


def required(metadata: Message, extra: str = "") -> set[str]:
    """The names that the package requires: without an extra, or what an extra adds."""
    requirements = map(Requirement, metadata.get_all("Requires-Dist", []))
    if not extra:
        return {each.name for each in requirements if each.marker is None}
    return {each.name for each in requirements if each.marker and each.marker.evaluate({"extra": extra})}


def modules_with(names: set[str]) -> set[str]:
    """Top-level modules of some distributions of this environment and of all that these require."""
    found, waiting = set(), [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needs = map(Requirement, distribution(name).requires or [])
            waiting += [
                canonicalize_name(each.name) for each in needs if not each.marker or each.marker.evaluate({"extra": ""})
            ]
    return {
        module for module, owners in packages_distributions().items() if found & set(map(canonicalize_name, owners))
    }


def run_alone(installed: Path, folder: Path, code: str, names: set[str]) -> subprocess.CompletedProcess[str]:
    """Run code that finds the installed wheel, the standard library and the distributions of these names."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [str(Path(__file__).with_name("alone.py")), str(installed), ",".join(modules_with(names)), code]
    return subprocess.run(
        [sys.executable, "-W", "error", *words], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_the_estimator_needs_only_what_the_package_requires(metadata, installed, tmp_path):
    absent = [MODULES.get(name, name) for name in sorted(PIPELINE - {"threadpoolctl"})]
    ran = run_alone(installed, tmp_path, USE.format(absent=absent), required(metadata))
    assert ran.returncode == 0, ran.stderr
    files = json.loads(ran.stdout)
    ours = [file for name, file in files.items() if name.partition(".")[0] == "competitive_mixtures"]
    assert len(ours) > 20
    assert all(Path(file).is_relative_to(installed) for file in ours)
    assert {MODULES.get(name, name) for name in BASE} <= set(files)  # and each of them is used


def test_the_command_without_the_pipeline_says_what_brings_it(metadata, installed, tmp_path):
    ran = run_alone(installed, tmp_path, HELP, required(metadata))
    assert ran.returncode == 1
    assert ran.stderr == "error: this command needs typer; install competitive-mixtures[pipeline]\n"


def test_the_command_with_the_pipeline(metadata, installed, tmp_path):
    ran = run_alone(installed, tmp_path, HELP, required(metadata) | required(metadata, "pipeline"))
    assert ran.returncode == 0, ran.stderr
    assert "train-round" in ran.stdout


def test_requirements_and_extras(metadata):
    assert required(metadata) == BASE
    assert set(metadata.get_all("Provides-Extra")) == {"pipeline", "avatars", "slurm", "docs", "dev"}
    assert required(metadata, "pipeline") == PIPELINE
    assert required(metadata, "avatars") == {"dicebear-core", "dicebear-styles", "resvg-py"}
    assert required(metadata, "slurm") == {"competitive-mixtures", "snakemake-executor-plugin-slurm"}
    assert {"competitive-mixtures", "pytest", "mypy"} <= required(metadata, "dev")
    onto = [each for each in map(Requirement, metadata.get_all("Requires-Dist")) if each.extras]
    assert [each.extras for each in onto] == [{"pipeline"}, {"pipeline", "docs", "avatars"}]


def test_the_lock_holds_every_requirement(metadata):
    locked = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line}
    named = {Requirement(each).name for each in metadata.get_all("Requires-Dist")}
    assert named - {"competitive-mixtures"} <= locked


def test_the_wheel_is_the_package_and_brings_one_command(built):
    package = ROOT / "src/competitive_mixtures"
    expected = {f"competitive_mixtures/{path.relative_to(package)}" for path in package.rglob("*.py")}
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
        (entries,) = (archive.read(name).decode() for name in names if name.endswith("entry_points.txt"))
    assert {name for name in names if ".dist-info/" not in name} == expected | {"competitive_mixtures/py.typed"}
    assert entries.split() == [
        "[console_scripts]",
        *["competitive-mixtures", "=", "competitive_mixtures.launch.cli_entry:main"],
    ]
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_installing_writes_no_snakemake(installed):
    assert [path.name for path in (installed / "bin").iterdir()] == ["competitive-mixtures"]


def test_the_source_distribution_is_the_project_without_what_it_makes(built):
    with tarfile.open(built.source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    files = {"Snakefile", "params.yaml", "dvc.yaml", ".dvc/config", "Makefile", "requirements.lock", "CITATION.cff"}
    files |= {"workflow/rules/train.smk", "profiles/default/config.yaml", "paper/paper.typ", "paper/claims.yaml"}
    files |= {"overrides.yaml", "stages.yaml"}
    files |= {"docs/own-data.md", "benchmarks/__main__.py", "tests/workflow/tiny.yaml", "tests/packaging/alone.py"}
    assert files <= names
    made = ("data/", "results/", ".venv/", "paper/verdict", "paper/figures", "paper/paper.pdf")
    assert not [name for name in names if name.startswith(made)]


def test_the_build_warns_of_nothing(built):
    assert not [line for line in built.output.splitlines() if "warning" in line.lower() or "deprecat" in line.lower()]


def test_what_a_package_index_shows(metadata):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().strip() == (ROOT / "README.md").read_text().strip()
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_all("Classifier") == project["classifiers"]
    assert "Typing :: Typed" in project["classifiers"]


@pytest.mark.install
@pytest.mark.skipif("RUN_INSTALL_TESTS" not in os.environ, reason="downloads PyTorch; run it by `make test-install`")
def test_a_new_environment(built, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-compile", built.wheel], check=True)
    absent = [MODULES.get(name, name) for name in sorted(PIPELINE - {"threadpoolctl"})]
    subprocess.run([python, "-c", USE.format(absent=absent)], cwd=tmp_path, check=True)
    assert not (environment / "bin/snakemake").exists()
    ran = subprocess.run([environment / "bin/competitive-mixtures"], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
