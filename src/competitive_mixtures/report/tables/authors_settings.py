"""The paper's method at the authors' settings: how far each run has come, beside what the authors' code gave."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.tables import read_rows
from competitive_mixtures.report.authors_code import list_competitions, read_authors_code
from competitive_mixtures.report.kept import read_kept_runs
from competitive_mixtures.report.plan import Planned
from competitive_mixtures.report.scores import SUITE_REASONS, Scores
from competitive_mixtures.report.summary import ROUND_COLUMNS

AUTHORS_SETTINGS_COLUMNS = (
    "experiment", "group", "rounds", "rounds_asked", "seeds", "purity_first", "purity", "nmi", "share_changed",
    "smallest_cell", "metric", "score", "best_score", "round_s", "processor", "commit", "code_rounds", "code_purity",
    "code_log_likelihood", "code_round_s", "status",
)  # fmt: skip
SCORES = {"vector": "log_likelihood", "image": "frechet_classifier"}
Round = dict[str, str]


def authors_settings_rows(root: Path, scores: Scores, plan: Iterable[Planned]) -> list[dict[str, Any]]:
    """One row an experiment of the suite `authors`, with one value a seed, separated by blanks.

    Args:
        root: the project's root, with `results/rounds.csv` and `paper/authors_code.csv`.
        scores: the scores of all runs; `score` is empty for a seed whose run is not finished.
        plan: the experiments.

    Raises:
        UserError: a file is missing or malformed.
    """
    curves: dict[str, dict[int, list[Round]]] = defaultdict(lambda: defaultdict(list))
    for measured in read_rows(Project(root).results.summary.rounds, ROUND_COLUMNS):
        curves[measured["experiment"]][int(measured["seed"])].append(measured)
    kept, code = read_kept_runs(Project(root).results), read_authors_code(root)
    rows = []
    for planned in plan:
        if planned.suite != "authors":
            continue
        row: dict[str, Any] = {"experiment": planned.name, "group": planned.group, "rounds_asked": planned.rounds}
        row |= _summarize_code(list_competitions(code, planned.group))
        metric = SCORES[planned.kind]
        if not (seeds := dict(sorted(curves[planned.name].items()))):
            rows.append(row | {"metric": metric, "status": f"not run: {SUITE_REASONS['authors']}"})
            continue
        row |= {"metric": metric} | _summarize_seeds(seeds)
        found = scores.values(planned.name, "competitive", "-", metric)
        best = scores.cell(planned.name, "data", "-", metric)
        row |= {"score": " ".join(repr(found[seed]) if seed in found else "–" for seed in seeds)}
        row |= {"best_score": best.get("mean", "")}
        made = [kept[planned.name, seed] for seed in seeds if (planned.name, seed) in kept]
        row |= {name: "; ".join(dict.fromkeys(entry[name] for entry in made)) for name in ("processor", "commit")}
        rows.append(row | {"status": "run"})
    return rows


def _summarize_seeds(seeds: dict[int, list[Round]]) -> dict[str, Any]:
    """How each seed began and where it stands; the seconds of a round are the median of all."""
    ordered = [sorted(rounds, key=lambda row: int(row["round"])) for rounds in seeds.values()]
    last = [rounds[-1] for rounds in ordered]
    trained = [row for rounds in ordered for row in rounds if int(row["round"])]  # round 0 only scores
    timed = [float(row["seconds"]) for row in trained]
    return {
        "seeds": " ".join(map(str, seeds)),
        "rounds": " ".join(row["round"] for row in last),
        "purity_first": " ".join(rounds[0]["purity"] for rounds in ordered),
        **{name: " ".join(row[name] for row in last) for name in ("purity", "nmi", "share_changed", "smallest_cell")},
        "round_s": round(statistics.median(timed), 1) if timed else "",
    }


def _summarize_code(runs: list[list[Round]]) -> dict[str, Any]:
    """The last rounds of the authors' code, one value a run; nothing where it was not run on these data."""
    last = [rounds[-1] for rounds in runs]
    timed = [float(row["cpu_round_s"]) for rounds in runs for row in rounds if int(row["round"])]
    return {
        "code_rounds": " ".join(row["round"] for row in last),
        "code_purity": " ".join(row["purity"] for row in last),
        "code_log_likelihood": " ".join(row["log_likelihood_test"] for row in last),
        "code_round_s": round(statistics.median(timed), 1) if timed else "",
    }
