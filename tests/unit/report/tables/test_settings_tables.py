from fakes import ROOT, make_plan

from competitive_mixtures.report.plan import read_plan
from competitive_mixtures.report.tables.settings import deviation_rows, flatten
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import write_resolved


def test_the_plan_names_what_has_not_run(tables, read):
    status = {row["experiment"]: (row["seeds_run"], row["status"]) for row in read(tables / "experiments.csv")}
    assert status["mnist"] == ("3", "run")
    assert status["synthetic-6"] == ("0", "not run: no results yet")


def test_deviations_are_found_and_explained(tables, read):
    rows = read(tables / "deviations.csv")
    assert [(row["setting"], row["ours"], row["authors"]) for row in rows] == [("batch_size", "256", "32")]
    assert rows[0]["reason"] == "larger batches are faster"


def test_a_departure_without_a_reason_says_so(tmp_path):
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper/deviations.yaml").write_text("rounds: shorter\n")
    (row,) = deviation_rows(tmp_path, make_plan())
    assert row["reason"] == "not given in paper/deviations.yaml"


def test_every_departure_of_the_project_has_its_reason(tmp_path):
    write_resolved(read_params(ROOT / "params.yaml"), tmp_path)
    rows = deviation_rows(ROOT, read_plan(tmp_path))
    assert [(row["experiment"], row["setting"]) for row in rows if row["reason"].startswith("not given")] == []


def test_flatten_names_nested_settings():
    settings = {
        "components": [{"kind": "vae", "count": 2}, {"kind": "gan"}],
        "revival": None,
        "hidden": [50, 50],
        "of": [],
    }
    assert dict(flatten(settings)) == {
        "components.kind": "vae",
        "components.count": "2",
        "components.1.kind": "gan",
        "revival": "none",
        "hidden": "50, 50",
        "of": "none",
    }


def test_a_block_that_both_lack_is_no_departure_and_large_numbers_are_short(tables, read):
    rows = read(tables / "deviations.csv")
    assert rows
    assert all(row["ours"] != row["authors"] for row in rows)
    assert dict(flatten({"a": {"limit": 1.0e12, "rate": 0.001, "steps": 5000000}, "b": None})) == {
        "a.limit": "1e12",
        "a.rate": "0.001",
        "a.steps": "5000000",
        "b": "none",
    }
