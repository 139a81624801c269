"""DVC over Snakemake: what `dvc repro` runs, and what a clone finds after `dvc pull`."""

import json
import re
import shutil

import pytest
from projects import ROOT, Project
from test_changes import EDITED, EDITS, edit_modules, set_number
from test_mistakes import ask_for_own_data, write_points

IDENTITY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")


def commit(project: Project) -> None:
    project.run("git", "add", "--all")
    project.run("git", *IDENTITY, "commit", "--quiet", "--message", "a state")


def reproduce(project: Project) -> tuple[set[str], set[str]]:
    """Run `dvc repro`; gives what `run_stages` gives."""
    return run_stages(project, "dvc", "repro")


def run_stages(project: Project, *words: str) -> tuple[set[str], set[str]]:
    """The DVC stages and the Snakemake rules, from its logs, that a command ran."""
    logs = project.root / ".snakemake/log"
    for former in logs.glob("*.log"):
        former.unlink()
    stages = set(re.findall(r"^Running stage '(.+)':", project.run(*words), re.MULTILINE))
    log = "".join(path.read_text(encoding="utf-8") for path in logs.glob("*.log"))
    return stages, set(re.findall(r"^(?:local)?rule (\w+):", log, re.MULTILINE))


def make(project: Project, target: str, check: bool = True) -> str:
    """Run a target of the Makefile in the environment of the tests, which stands in for .venv."""
    copies = ("requirements.lock", "pyproject.toml")
    for name in ("Makefile", *copies):
        shutil.copy(ROOT / name, project.root)
    for folder in ("bin", "commands"):
        (project.root / ".venv" / folder).mkdir(parents=True)
    for name in (*copies, "bin/activate", "commands/snakemake"):
        (project.root / ".venv" / name).touch()
    return project.run("make", target, check=check)


@pytest.fixture(scope="module")
def tracked_once(finished_once, tmp_path_factory):
    """The finished project in git and DVC, to be left as it is."""
    project = finished_once[0].copy(tmp_path_factory.mktemp("tracked") / "mon étude")
    project.run("git", "init", "--quiet")
    project.run("dvc", "remote", "add", "--default", "store", str(tmp_path_factory.mktemp("store")))
    commit(project)
    return project, reproduce(project)


@pytest.fixture
def tracked(tracked_once, tmp_path):
    """A copy of it."""
    project, (stages, _) = tracked_once
    copy = project.copy(tmp_path / "mon étude")
    commit(copy)
    assert stages
    return copy


def test_repro_finds_finished_work(tracked_once):
    _, (stages, rules) = tracked_once
    assert stages == {"configure", "data", "report"} | {
        f"experiment@{name}" for name in ("dots", "dots-sharded", "digits")
    }
    assert rules <= {"configure", "data", "all", "dots", "dots-sharded", "digits"}


def test_nothing_is_to_be_done_again(tracked):
    assert reproduce(tracked) == (set(), set())
    assert tracked.plan("all") == {}


def test_a_number_of_one_experiment(tracked):
    """DVC writes the file that it is told to anew, without anchors and comments: never the user's own."""
    written = (tracked.root / "params.yaml").read_bytes()
    change = "overrides.yaml:++experiments.digits.training.steps_per_round=21"
    stages, rules = run_stages(tracked, "dvc", "exp", "run", "--set-param", change)
    assert (tracked.root / "params.yaml").read_bytes() == written
    assert stages == {"configure", "experiment@digits", "report"}
    assert "train_shard" not in rules
    assert "compile_paper" in rules
    assert tracked.plan("all") == {}
    compared = make(tracked, "compare")
    assert "experiments.digits.training.steps_per_round" in compared
    changed = set(re.findall(r"results/metrics.json +(\S+)", compared))
    assert "digits.frechet_classifier.competitive" in changed
    assert all(name.startswith("digits.") for name in changed)
    assert "failed" not in compared
    page = (tracked.root / "dvc_plots/index.html").read_text()
    assert "digits: objective by round" in page
    for revision in ("HEAD", "workspace"):
        assert (tracked.root / f"dvc_plots/static/{revision}_paper_figures_partition-digits.png").is_file()


@pytest.mark.parametrize(("modules", "rules", "stages"), EDITS, ids=EDITED)
def test_an_edited_module_concerns_the_stages_that_depend_on_it(tracked, modules, rules, stages):
    edit_modules(tracked, modules)
    status = json.loads(tracked.run("dvc", "status", "--json"))
    assert set(status) == stages


@pytest.mark.parametrize(
    ("keys", "experiments"),
    [
        (("experiments", "dots-sharded", "rounds"), {"dots-sharded"}),  # in results/plan.json, by the experiment's key
        (("experiments", "digits", "training", "batch_size"), {"digits"}),  # in its settings
        (("seeds",), {"dots", "dots-sharded", "digits"}),
    ],
)
def test_a_number_concerns_the_stages_of_its_experiments(tracked, keys, experiments):
    tracked.change(set_number(*keys, value=2))
    tracked.run("snakemake", "configure")
    status = json.loads(tracked.run("dvc", "status", "--json"))
    assert set(status) == {"configure", "report"} | {f"experiment@{name}" for name in experiments}


def test_own_data_are_dependencies(tracked):
    """They have a stage as soon as Snakemake has planned, as has their experiment, and DVC sees them overwritten."""
    ask_for_own_data(tracked, "my {x} <y>.npz")
    write_points(tracked.root / "my {x} <y>.npz")
    tracked.run("snakemake", "configure")
    assert {"own_data@own", "experiment@mine"} <= set(json.loads(tracked.run("dvc", "status", "--json")))
    stages, rules = run_stages(tracked, "dvc", "repro", "data")
    assert stages == {"configure", "own_data@own", "data"}
    assert "prepare" in rules
    assert json.loads(tracked.run("dvc", "status", "--json", "data", "own_data@own")) == {}
    write_points(tracked.root / "my {x} <y>.npz", seed=1)
    assert set(json.loads(tracked.run("dvc", "status", "--json", "data", "own_data@own"))) == {"own_data@own"}
    stages, rules = run_stages(tracked, "dvc", "repro", "data")
    assert stages == {"own_data@own", "data"}
    assert "prepare" in rules


def test_the_page_of_plots(tracked):
    assert "failed" not in tracked.run("dvc", "plots", "show")
    page = (tracked.root / "dvc_plots/index.html").read_text()
    assert set(re.findall(r"([\w-]+): objective by round", page)) == {"dots", "dots-sharded", "digits"}
    shown = {path.name.removeprefix("workspace_paper_figures_") for path in tracked.root.glob("dvc_plots/static/*")}
    assert shown == {path.name for path in tracked.root.glob("paper/figures/[!.]*")}


def test_a_clone_pulls_and_has_nothing_to_do(tracked, tmp_path):
    make(tracked, "push")
    tracked.run("git", "clone", "--quiet", str(tracked.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", tracked.environment)
    make(clone, "pull")
    assert clone.plan("all") == {}
    assert "up to date" in clone.run("dvc", "status")
    assert clone.read("results/**/*.parquet") == tracked.read("results/**/*.parquet")


def test_a_clone_of_what_was_never_stored_says_so(tracked, tmp_path):
    (tracked.root / "dvc.lock").unlink()
    commit(tracked)
    tracked.run("git", "clone", "--quiet", str(tracked.root), str(tmp_path / "clone"))
    with pytest.raises(AssertionError, match=r"error: dvc\.lock is missing"):
        make(Project(tmp_path / "clone", tracked.environment), "pull")


def test_a_store_that_nothing_was_pushed_to_is_told_in_one_sentence(tracked, tmp_path):
    tracked.run("git", "clone", "--quiet", str(tracked.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", tracked.environment)
    clone.run("dvc", "remote", "add", "--default", "--force", "store", str(tmp_path / "empty"))
    said = [line for line in make(clone, "pull", check=False).splitlines() if line.startswith("error")]
    assert len(said) == 1
    assert "has nothing of what this commit's dvc.lock names: run 'make push' where the results are" in said[0]


def test_a_change_after_pulling_is_not_taken_for_done(tracked, tmp_path):
    """Without Snakemake's records of past runs, a changed number must still be seen."""
    tracked.run("dvc", "push")
    tracked.run("git", "clone", "--quiet", str(tracked.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", tracked.environment)
    clone.run("dvc", "pull")
    clone.change(set_number("experiments", "digits", "training", "steps_per_round", value=21))
    assert clone.plan("digits")["pretrain"] == 1


@pytest.mark.parametrize("target", ["pull", "push"])
def test_without_a_store_one_sentence_says_what_to_set(fresh, target):
    fresh.run("git", "init", "--quiet")
    said = [line for line in make(fresh, target, check=False).splitlines() if not line.startswith("make: ***")]
    assert len(said) == 1, said
    assert said[0].startswith("error: no store of results is named, and none is published: ")
    assert said[0].endswith("dvc remote add --default store <where>")
