"""The table of rivals: all that was trained on the data of a default experiment with components of its kind."""

from collections.abc import Iterator
from typing import Any

from competitive_mixtures.report.names import METHODS
from competitive_mixtures.report.plan import BOUNDS, Planned, label_baseline
from competitive_mixtures.report.scores import CELL_COLUMNS, Scores

RIVAL_COLUMNS = ("group", "rival", *CELL_COLUMNS)
TRAINING_METRICS = ("purity", "compute", "compute_all")
TUNING_METRICS = ("rate", "num_steps", "held_out_gain")


def rival_rows(scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """The main score, purity and compute of every rival, by default experiment; what has not run says so."""
    rows = []
    for base in (planned for planned in plan if planned.suite == "default"):
        main = "log_likelihood" if base.kind == "vector" else "frechet_classifier"
        cells = [(main, "test"), *((metric, "train") for metric in TRAINING_METRICS)]
        for rival, experiment, model, protocol in _list_rivals(base, plan):
            for metric, split in cells:
                cell = scores.cell(experiment, model, protocol, metric, split)
                rows.append({"group": base.name, "rival": rival} | cell)
    return rows


def tuning_cells(scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """Which learning rate and step won for each tuned baseline, and by how much on held-out points."""
    return [
        scores.cell(planned.name, model, protocol, metric, "train")
        for planned in plan
        if planned.settings.get("tuning")
        for model, protocol in planned.models
        if model != "competitive"
        for metric in TUNING_METRICS
    ]


def _list_rivals(base: Planned, plan: list[Planned]) -> Iterator[tuple[str, str, str, str]]:
    """(name of the rival, experiment, model, protocol), the mixtures first."""
    alike = [p for p in plan if p.dataset == base.dataset and p.components == base.components]
    for planned in sorted(alike, key=lambda p: list(METHODS).index(p.method)):
        if planned.group == base.group:
            yield METHODS[planned.method], planned.name, "competitive", "-"
    for planned in alike:
        if form := name_relative(planned):
            yield _name_rival(planned, form), planned.name, "competitive", "-"
    for planned in alike:
        if planned is base or planned.name in (f"{base.name}-tuned", f"{base.name}-autoencoder"):
            tuned = ", tuned" if planned.settings.get("tuning") else ""
            for model, protocol in planned.models[1:]:
                yield label_baseline(model, protocol) + tuned, planned.name, model, protocol


def name_relative(planned: Planned) -> str | None:
    """What an experiment takes from the literature, say `VAE-EM's assignment (hard, by density)`; None where nothing.

    VAE-EM's own form is the soft one by posterior; the others are relatives of it.
    """
    scoring = planned.settings.get("scoring", {})
    if planned.settings.get("exploration"):
        return "GANMM"
    if (form := BOUNDS.get(scoring.get("kind"))) is None:
        return None
    return f"VAE-EM's assignment ({form}, by {scoring['assignment']})"


def _name_rival(planned: Planned, form: str) -> str:
    """The model that a form from the literature was built on, and the form: by the names that it has everywhere."""
    if form == "GANMM":
        return f"{form}, our settings"
    return f"{METHODS['ours' if planned.remedied else 'plain']}, with {form}"
