"""Numbers that stand in sentences of the report and the documents, each by a name: computed, never typed.

A fact that the results at hand do not give is `not run`.
"""

from collections.abc import Iterable
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any

from competitive_mixtures.files.folders import Project
from competitive_mixtures.report.authors_code import read_authors_code
from competitive_mixtures.report.best_likelihood import read_bounds
from competitive_mixtures.report.intervals import mean_interval
from competitive_mixtures.report.partitions import METHODS, read_fits
from competitive_mixtures.report.plan import Planned, list_variants
from competitive_mixtures.report.scores import Scores
from competitive_mixtures.report.tables.gains import tuned_gain_rows
from competitive_mixtures.report.tables.likelihood import reported_rows

Rows = list[dict[str, Any]]
NOT_RUN = "not run"
LOWER_IS_BETTER = ("frechet_classifier",)
MNIST_POINTS = 60_000  # training points of MNIST, for epochs


def collect_facts(root: Path, scores: Scores, plan: list[Planned], gains: Rows, ablations: Rows) -> dict[str, str]:
    """Every fact by its name.

    Args:
        root: the project's root, with `reported.csv`, `authors_code.csv` and `partitions.csv` in `paper/`.
        scores: the scores of all runs.
        plan: the experiments.
        gains: the rows of `gains.csv`.
        ablations: the rows of `ablations.csv`.
    """
    vectors = {
        group: variants
        for group, variants in list_variants(plan).items()
        if all(p.kind == "vector" and p.components == ("vae",) for p in variants.values())
    }
    pairs = [(v["plain"], v["paper"]) for v in vectors.values() if {"plain", "paper"} <= v.keys()]
    return (
        _of_settings(scores, plan, pairs)
        | _of_compute(scores, plan)
        | _of_kmeans(gains)
        | _of_tuned(tuned_gain_rows(scores, plan))
        | _of_redrawn(scores, plan)
        | _of_latents(scores)
        | _of_relatives(ablations)
        | _of_likelihoods(root, plan)
        | _of_authors_code(root)
        | _of_partitions(root)
    )


def _of_partitions(root: Path) -> dict[str, str]:
    """The mean adjusted Rand index of each method over the vectors of `paper/partitions.csv`."""
    fits = [fit for fit in read_fits(Project(root).paper.partitions) if fit.part != "images"]
    names = {fit.data_set: fit.part for fit in fits}
    means = {method: [fit.mean_ari for fit in fits if fit.method == method] for method in METHODS}
    facts = {f"ari_{method}": f"{fmean(found):.2f}" if found else NOT_RUN for method, found in means.items()}
    facts["known_data_sets"] = str(len(names))
    return facts | {"known_data_sets_developed_on": str(list(names.values()).count("development"))}


def _of_settings(scores: Scores, plan: list[Planned], pairs: list[tuple[Planned, Planned]]) -> dict[str, str]:
    """How our settings and the authors' differ in size on synthetic data."""
    half = {planned.name: planned for planned in plan if planned.name.endswith("-half")}
    halves = [_ratio(scores, name, name.removesuffix("-half"), "samples_seen") for name in half]
    samples = [_ratio(scores, paper.name, plain.name, "samples_seen") for plain, paper in pairs]
    return {
        "half_samples": _span([100 * ratio for ratio in halves if ratio], "{:.0f}"),
        "times_fewer_samples": _span([ratio for ratio in samples if ratio], "{:.0f}"),
        "times_larger_batches": _span([_setting(a, "batch_size") / _setting(b, "batch_size") for a, b in pairs]),
        "times_more_steps": _span([_setting(b, "steps_per_round") / _setting(a, "steps_per_round") for a, b in pairs]),
    }


def _of_compute(scores: Scores, plan: list[Planned]) -> dict[str, str]:
    """What scoring and sampling cost on images, how long single networks trained, and where equal compute is short."""
    images = [p for p in plan if p.kind == "image" and p.suite == "default"]
    totals = [_ratio(scores, p.name, p.name, "compute_all", "compute") for p in images]
    extra = [ratio - 1 for ratio in totals if ratio]
    facts = {"scoring_of_training": _span([100 * share for share in extra], "{:.0f}")}
    facts["scoring_of_all"] = _span([100 * share / (1 + share) for share in extra], "{:.0f}")
    for name in ("mnist", "mnist-gan"):
        for protocol in ("paper", "equal_compute"):
            seen = _mean(scores, name, "samples_seen", "single", protocol)
            facts[f"epochs_{name}_{protocol}"] = f"{seen / MNIST_POINTS:.2g}" if seen else NOT_RUN
    count = scores.cell("mnist", "competitive", "-", "frechet_classifier")["n"]
    facts["least_p_mnist"] = f"{2 / 2**count:.2f}" if count else NOT_RUN
    default = [p.name for p in plan if p.suite == "default"]
    facts["wide_is_shorter"] = _join(f"`{name}`" for name in default if _is_shorter(scores, name))
    return facts


def _is_shorter(scores: Scores, name: str) -> bool:
    """Whether the network of three times the width sees fewer samples at equal compute than in the paper's protocol."""
    equal, paper = (_mean(scores, name, "samples_seen", "single_wide", p) for p in ("equal_compute", "paper"))
    return 0 < equal < paper


def _of_kmeans(gains: Rows) -> dict[str, str]:
    """On how many data sets the whole interval lies on the side of k-means with one network a cluster."""
    facts = {}
    for method in ("plain", "ours"):
        wanted = (method, "kmeans", "equal_compute")
        rows = [row for row in gains if (row["mixture"], row["baseline"], row["baseline_protocol"]) == wanted]
        vae = [row for row in rows if row["metric"] == "log_likelihood" and not row["group"].endswith("-gan")]
        mnist = [row for row in rows if row["group"] in ("mnist", "mnist-gan")]
        facts[f"kmeans_ahead_of_{method}"] = _count([_side(row) < 0 for row in vae])
        facts[f"kmeans_ahead_of_{method}_on_mnist"] = _count([_side(row) < 0 for row in mnist])
        facts[f"kmeans_ahead_of_{method}_names"] = _join(f"`{row['group']}`" for row in vae if _side(row) < 0)
    return facts


def _of_tuned(gains: Rows) -> dict[str, str]:
    """Where the paper's method, our settings, is ahead of one tuned network at equal compute, and where not."""
    rows = [row for row in gains if (row["mixture"], row["baseline_protocol"]) == ("plain", "equal_compute")]
    rows = [row for row in rows if row["baseline"] == "single" and "ci_low" in row]
    others = [
        f"{_signed(r['difference'])} ({_signed(r['ci_low'])} to {_signed(r['ci_high'])}) on "
        f"`{r['group'].removesuffix('-tuned')}`, {r['n']} seeds"
        for r in rows
        if _side(r) <= 0
    ]
    vae = [row for row in rows if row["metric"] == "log_likelihood" and "-gan" not in row["group"]]
    return {
        "ahead_of_tuned": _count([_side(row) > 0 for row in rows]),
        "ahead_of_tuned_vae": _count([_side(row) > 0 for row in vae]),
        "not_ahead_of_tuned": _join(others),
    }


def _of_redrawn(scores: Scores, plan: list[Planned]) -> dict[str, str]:
    """The mean score where the data, or the classifier, are drawn anew for each seed, beside that of one draw."""
    metrics = {"vector": "log_likelihood", "image": "frechet_classifier"}
    said: dict[str, list[str]] = {kind: [] for kind in metrics}
    for planned in plan:
        base = planned.name.removesuffix("-redrawn")
        if planned.method != "plain" or base == planned.name:
            continue
        names, metric = (planned.name, base), metrics[planned.kind]
        anew, once = (scores.values(name, "competitive", "-", metric) for name in names)
        if anew and once:
            interval = mean_interval(list(anew.values()))
            half = "" if isnan(interval.low) else f" ± {interval.mean - interval.low:.2f}"
            where = base.removesuffix("-plain")
            said[planned.kind].append(
                f"{_signed(interval.mean)}{half} against {_signed(fmean(once.values()))} on `{where}`"
            )
    return {
        "redrawn": _join(said["vector"]) if said["vector"] else NOT_RUN,
        "redrawn_images": _join(said["image"]) if said["image"] else NOT_RUN,
    }


def _of_latents(scores: Scores) -> dict[str, str]:
    """Fréchet distances of k-means with one network a cluster in MNIST's latents, and the mixture's less it."""
    models = (("competitive", "-"), ("kmeans", "paper"), ("kmeans", "equal_compute"))
    mixture, paper, equal = (scores.values("mnist-latent", *model, "frechet_classifier") for model in models)
    said = {"latent_kmeans": NOT_RUN, "latent_less_kmeans": NOT_RUN}
    if paper:
        said["latent_kmeans"] = f"{fmean(paper.values()):.2f}, as long trained as a component"
    if paper and equal:
        said["latent_kmeans"] += f", and {fmean(equal.values()):.2f} at equal compute"
    if common := mixture.keys() & equal.keys():
        less = mean_interval([mixture[seed] - equal[seed] for seed in common])
        said["latent_less_kmeans"] = (
            f"{_signed(less.mean)} ({_signed(less.low)} to {_signed(less.high)}), {len(common)} seeds"
        )
    return said


def _of_relatives(ablations: Rows) -> dict[str, str]:
    """Where VAE-EM and GANMM are ahead of the paper's method, our settings, in score and in purity."""
    ran = [row for row in ablations if row["status"] == "run" and row["method"] == "plain"]
    rows = [row for row in ran if row["label"].endswith((")", "GANMM")) and "ci_low" in row]
    main = [row for row in rows if row["metric"] in ("log_likelihood", "frechet_classifier")]
    purer = [row for row in rows if row["metric"] == "purity" and row["ci_low"] > 0]
    said = [f"{r['label']} {r['ablation_mean']:.2f} against {r['base_mean']:.2f}, {r['n']} seeds" for r in purer]
    posterior = [r for r in rows if "soft, by posterior" in r["label"] and r["metric"] == "purity"]
    facts = {"posterior_purity": _join(f"{r['ablation_mean']:.2f} on `{r['label'].split(':')[0]}`" for r in posterior)}
    ahead = _count([_side(row) > 0 for row in main])
    return facts | {"relatives_ahead": ahead, "relatives_purer": "; ".join(said) or "none"}


def _side(row: dict[str, Any]) -> int:
    """The side of zero that a difference's whole interval lies on: 1 better, -1 worse; 0 over zero, or without one."""
    if row.get("ci_low") is None:
        return 0
    side = int(row["ci_low"] > 0) - int(row["ci_high"] < 0)
    return -side if row["metric"] in LOWER_IS_BETTER else side


def _of_likelihoods(root: Path, plan: list[Planned]) -> dict[str, str]:
    """The best possible values, and what the draft prints."""
    reported = reported_rows(root)
    bounds = read_bounds(root, [p for p in plan if p.suite == "default"])
    names = list(dict.fromkeys(row["experiment"] for row in reported))
    facts = {"best_possible": _join(_signed(bounds[name]) for name in names if name in bounds)}
    for kind in ("competitive_reported", "competitive_with_log_alpha", "best_single_reported"):
        facts[kind] = _join(_signed(row["value"]) for row in reported if row["row"] == kind)
    return facts


def _of_authors_code(root: Path) -> dict[str, str]:
    """How the runs of the authors' code were changed: in how many the samplers, and how long each was pretrained."""
    rows = [row for row in read_authors_code(root) if row["purity"]]  # one VAE has none, and no samplers of ours
    faster = {(row["experiment"], row["run"]): "faster samplers" in row["run"] for row in rows}
    epochs = {row["experiment"]: row["vae_epochs"] for row in rows if row["round"] == "0"}
    return {
        "code_faster": f"{sum(faster.values())} of {len(faster)}",
        "code_pretraining": _join(f"{count} epochs on `{name}`" for name, count in epochs.items()),
    }


def _setting(planned: Planned, key: str) -> float:
    return float(planned.settings.get("training", {}).get(key, "nan"))


def _mean(scores: Scores, name: str, metric: str, model: str = "competitive", protocol: str = "-") -> float:
    """The mean of a cost over seeds; 0 where there is none."""
    return float(scores.cell(name, model, protocol, metric, "train").get("mean", 0.0))


def _ratio(scores: Scores, name: str, other: str, metric: str, against: str = "") -> float:
    """The cost of one experiment over that of another, in the means; 0 where one was not run."""
    below = _mean(scores, other, against or metric)
    return _mean(scores, name, metric) / below if below else 0.0


def _span(values: list[float], style: str = "{:g}") -> str:
    """`8`, or `22 to 60`: the least and the largest value, once where they look alike."""
    if not values:
        return NOT_RUN
    return " to ".join(dict.fromkeys(style.format(value) for value in (min(values), max(values))))


def _count(found: list[bool]) -> str:
    """`2 of 3`."""
    return f"{sum(found)} of {len(found)}" if found else NOT_RUN


def _join(texts: Iterable[str]) -> str:
    """`a, b and c`; `none` of nothing."""
    *first, last = list(texts) or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
