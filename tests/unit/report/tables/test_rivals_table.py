"""The table of rivals: who is in it, under which name, and what tuning chose."""

from dataclasses import replace

from fakes import make_plan

from competitive_mixtures.report.scores import Scores
from competitive_mixtures.report.tables.rivals import rival_rows, tuning_cells


def make_rivals():
    base = make_plan()[0]
    tuned = replace(
        base, name="synthetic-3-tuned", suite="ablations", baselines=("single",), settings={"tuning": {"looks": 5}}
    )
    bounds = {"scoring": {"kind": "soft_bound", "assignment": "posterior"}}
    relative = replace(base, name="synthetic-3-vae-em", suite="ablations", baselines=(), settings=bounds)
    remedied = replace(relative, name="synthetic-3-ours", settings=bounds | {"revival": {"every": 3}})
    explored = {"exploration": {"share": 0.5, "decay": 0.7}}
    gan = replace(relative, name="synthetic-3-ganmm", components=("gan",), settings=explored)
    gans = replace(base, name="synthetic-3-gan", components=("gan",), baselines=())
    return [base, gans, tuned, relative, remedied, gan]


def test_every_rival_has_the_experiment_that_it_is_from(project):
    plan = make_rivals()
    rows = rival_rows(Scores(project, plan), plan)
    found = {row["rival"]: row["experiment"] for row in rows if row["group"] == "synthetic-3"}
    form = "with VAE-EM's assignment (soft, by posterior)"
    assert found[f"the paper's method, our settings, {form}"] == "synthetic-3-vae-em"
    assert found[f"ours, {form}"] == "synthetic-3-ours"
    assert found["one network (paper's protocol)"] == "synthetic-3"
    assert found["one network (paper's protocol), tuned"] == "synthetic-3-tuned"
    assert "GANMM, our settings" not in found  # no rival of VAEs
    others = {row["rival"] for row in rows if row["group"] == "synthetic-3-gan"}
    assert others == {"the paper's method, our settings", "GANMM, our settings"}


def test_scores_are_those_of_the_summary_and_gaps_have_their_reason(project):
    plan = make_rivals()
    scores = Scores(project, plan)
    rows = {(row["rival"], row["metric"]): row for row in rival_rows(scores, plan) if row["group"] == "synthetic-3"}
    single = rows["one network (paper's protocol)", "log_likelihood"]
    values = scores.values("synthetic-3", "single", "paper", "log_likelihood").values()
    assert abs(single["mean"] - sum(values) / len(values)) < 1e-12
    name = "the paper's method, our settings, with VAE-EM's assignment (soft, by posterior)"
    assert rows[name, "log_likelihood"]["status"] == "not run: part of the suite ablations"


def test_tuned_baselines_have_their_choices(project):
    plan = make_rivals()
    cells = tuning_cells(Scores(project, plan), plan)
    assert {(cell["experiment"], cell["model"], cell["protocol"], cell["metric"]) for cell in cells} == {
        ("synthetic-3-tuned", "single", protocol, metric)
        for protocol in ("paper", "equal_compute")
        for metric in ("rate", "num_steps", "held_out_gain")
    }
