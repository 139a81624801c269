"""What runs again after a change: only what depends on it."""

import pytest
from PIL import Image

REPORT = {"summarize", "assess_claims", "write_tables", "plot_figures", "compile_paper", "write_pages"}

RAW = {"download", "prepare", "train_classifier"}
TRAINING = {"pretrain", "train_round", "train_last_round", "train_shard", "reassign", "reassign_last", "train_baseline"}
SCORES = {"evaluate", "summarize_experiment"} | REPORT
EXPERIMENTS = {"experiment@dots", "experiment@dots-sharded", "experiment@digits"}
# Modules, the rules that run again where these are edited, and the stages of DVC that ask Snakemake what is to be done.
EDITS = [
    (["data/gaussians.py"], RAW | TRAINING | SCORES, {"data", "report"} | EXPERIMENTS),
    (["settings/schema.py"], TRAINING | SCORES, {"report"} | EXPERIMENTS),
    (["networks/vae.py", "method/assignment.py"], TRAINING | SCORES, EXPERIMENTS),
    (["seeding.py"], {"train_classifier"} | TRAINING | SCORES, {"data"} | EXPERIMENTS),
    (["evaluation/classifier.py"], {"train_classifier", "train_baseline"} | SCORES, {"data"} | EXPERIMENTS),
    # a baseline that is tuned is scored on the way
    (["evaluation/kernel_density.py", "pipeline/evaluate.py"], {"train_baseline"} | SCORES, EXPERIMENTS),
    (["report/figures/style.py"], {"plot_figures", "compile_paper", "write_pages"}, {"report"}),
    (["report/claims/verdicts.py"], {"assess_claims", "plot_figures", "compile_paper", "write_pages"}, {"report"}),
    (
        ["errors.py", "files/formats.py", "pipeline/cli.py", "launch/fork_server.py", "estimator/estimator.py"],
        set(),
        set(),
    ),
]
EDITED = [" ".join(modules) for modules, *_ in EDITS]


def edit_modules(project, modules):
    """Change some of the package's modules, by their paths below it."""
    for module in modules:
        path = project.root / "src/competitive_mixtures" / module
        path.write_text(path.read_text() + "\n# edited\n")


def set_number(*keys, value):
    """An edit of params.yaml: the value under some keys."""

    def edit(params):
        block = params
        for key in keys[:-1]:
            block = block.setdefault(key, {})
        block[keys[-1]] = value

    return edit


def test_a_number_of_one_experiment(finished):
    finished.change(set_number("experiments", "digits", "training", "steps_per_round", value=21))
    rerun = {"pretrain", "train_round", "train_last_round", "train_baseline", "evaluate", "summarize_experiment"}
    assert finished.plan("all") == dict.fromkeys(rerun | REPORT, 1)


def test_a_number_that_changes_back(finished):
    edit = set_number("experiments", "dots", "training", "steps_per_round", value=21)
    finished.change(edit)
    assert finished.plan("all")
    finished.change(set_number("experiments", "dots", "training", "steps_per_round", value=20))
    assert finished.plan("all") == {}


def test_another_suite_concerns_the_report_only(finished):
    finished.change(set_number("experiments", "dots-long", "rounds", value=60))
    assert set(finished.plan("all")) <= REPORT  # which lists the settings of all suites


def test_resources_change_no_result(finished):
    finished.change(set_number("experiments", "dots", "resources", "mem_mb", value=2000))
    assert finished.plan("all") == {}


def test_more_seeds_run_only_the_new_ones(finished):
    before = finished.read("results/experiments/digits/seed-0/**/*.parquet")
    finished.change(set_number("seeds", value=2))
    jobs = finished.snakemake("digits")
    assert jobs["pretrain"] == jobs["evaluate"] == 1
    assert jobs["train_round"] + jobs["train_last_round"] == 2
    assert finished.read("results/experiments/digits/seed-0/**/*.parquet") == before
    other = finished.read("results/experiments/digits/seed-1/**/*.parquet")
    for path, content in before.items():
        assert other[path.replace("seed-0", "seed-1")] != content


@pytest.mark.parametrize(("experiment", "rounds"), [("dots", 2), ("dots-sharded", 1)])
def test_a_longer_run_goes_on_from_the_last_state(finished, experiment, rounds):
    folder = f"results/experiments/{experiment}/seed-0/rounds"
    before = finished.read(f"{folder}/*/assignments.parquet")
    finished.change(set_number("experiments", experiment, "rounds", value=rounds + 1))
    jobs = finished.snakemake(f"{folder}/{rounds + 1}/state.safetensors")
    assert sum(jobs.values()) == (4 if experiment == "dots-sharded" else 1)
    after = finished.read(f"{folder}/*/assignments.parquet")
    assert len(after) == len(before) + 1
    assert {path: after[path] for path in before} == before
    assert list(finished.read(f"{folder}/*/state.safetensors")) == [f"{folder}/{rounds + 1}/state.safetensors"]


@pytest.mark.parametrize(("modules", "rules", "stages"), EDITS, ids=EDITED)
def test_an_edited_module_runs_what_depends_on_it(finished, modules, rules, stages):
    edit_modules(finished, modules)
    assert set(finished.plan("all")) == rules


def test_a_touched_method_does_not_run_again(finished):
    (finished.root / "src/competitive_mixtures/method/assignment.py").touch()
    assert finished.plan("all") == {}


def test_an_edited_paper_is_only_compiled(finished):
    source = finished.root / "paper/paper.typ"
    source.write_text(source.read_text() + "\n// edited\n")
    assert finished.plan("all") == {"compile_paper": 1}


def test_a_changed_data_set(finished):
    finished.change(set_number("datasets", "dots", "variance", value=0.6))
    plan = finished.plan("all")
    assert plan["prepare"] == 1
    assert plan["pretrain"] == 2  # of the two experiments on it


def test_own_pictures(finished):
    """A picture that changes below a subfolder is noticed; labelled ones get a classifier."""
    folder = finished.root / "mes photos"
    for number in range(140):
        (folder / f"é{number % 2}").mkdir(parents=True, exist_ok=True)
        Image.new("L", (9, 11), 255 * (number % 2)).save(folder / f"é{number % 2}" / f"{number}.png")
    own = {"kind": "images", "path": "mes photos", "size": 8, "channels": 1, "test_fraction": 0.5, "classifier": True}
    finished.change(set_number("datasets", "own", value=own))
    finished.change(
        set_number("experiments", "own", value={"extends": "digits", "suite": "ablations", "dataset": "own"})
    )
    finished.snakemake("--resources", "gpu=1", "own")
    scores = (finished.root / "results/experiments/own/seed-0/evaluation/scores.csv").read_text()
    assert "frechet_classifier" in scores
    assert finished.plan("own") == {}
    Image.new("L", (9, 11), 7).save(folder / "é1" / "5.png")
    assert finished.plan("own")["prepare"] == 1
    finished.snakemake("data/processed/own/meta.json")
    assert "prepare" not in finished.plan("own")
    (folder / "é1" / "7.png").unlink()
    assert finished.plan("own")["prepare"] == 1
    nowhere = own | {"path": "nulle part"}
    finished.change(set_number("datasets", "nowhere", value=nowhere))
    assert "nulle part" in finished.run("snakemake", "-n", "data/processed/nowhere/meta.json", check=False)
