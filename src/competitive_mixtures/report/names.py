"""What models, protocols and metrics are called in tables and figures: the only place where these names stand.

Keys are those of `results/summary.csv`. The figures look the names up here; the paper's source reads them from
`paper/tables/names.json`, which is written with the other tables.
"""

METHODS = {  # what `competitive` stands for: no table, figure or text says "competitive mixture" without saying which
    "paper": "the paper's method, authors' settings",
    "plain": "the paper's method, our settings",
    "ours": "ours",
    "relative": "relative of the paper's method",  # VAE-EM and GANMM, from the same parts
}
MODELS = {  # in the order of summary.csv
    "competitive": "mixture",
    "single": "one network",
    "single_wide": "one network, 3× width",
    "bagging": "bagging",
    "kmeans": "k-means, then one each",
    "autoencoder_kmeans": "autoencoder, k-means, then one each",
    "gaussian_mixture": "Gaussian mixture",
    "data": "true samples",
}
PROTOCOLS = {"-": "", "paper": "paper's protocol", "equal_compute": "equal compute"}
METRICS = {
    "log_likelihood": "log-likelihood",
    "coverage": "coverage",
    "purity": "purity",
    "nmi": "NMI",
    "ari": "ARI",
    "accuracy": "accuracy",
    "frechet_classifier": "Fréchet (classifier)",
    "fid": "FID",
    "kid": "KID",
    "precision": "precision",
    "recall": "recall",
    "confident_share": "confident",
    "num_labels": "labels",
    "divergence_from_uniform": "divergence",
    "train_time_s": "seconds",
    "samples_seen": "samples seen",
    "compute": "compute",
    "compute_all": "compute with scoring",
    "rate": "learning rate ×",
    "num_steps": "steps",
    "held_out_gain": "gain",
    "num_parameters": "parameters",
    "objective": "objective",
    "objective_test": "objective (test)",
    "share_changed": "share of points that moved",
    "smallest_cell": "smallest cell",
}
AXES = {  # quantities along an axis, where there is room for the split and the unit
    "log_likelihood": "test log-likelihood (nats)",
    "frechet_classifier": "Fréchet distance, classifier",
    "compute": "samples × parameters",
    "objective": "objective (nats)",
}


UNITS = {
    "log_likelihood": "nats",
    "objective": "nats",
    "objective_test": "nats",
    "smallest_cell": "N/k",
}  # others: none
RANGES = {
    **dict.fromkeys(("purity", "nmi", "accuracy", "coverage", "precision", "recall", "confident_share"), (0.0, 1.0)),
    **dict.fromkeys(("share_changed", "smallest_cell"), (0.0, 1.0)),
    "ari": (-0.5, 1.0),
}
"""The lowest and the highest value that a metric can have; the others have no such limits."""
RELATIONS = {"above": ">", "at_least": "≥", "below": "<", "at_most": "≤"}


def collect_names() -> dict[str, dict[str, str]]:
    """The names by kind, as the paper's source reads them: `methods`, `models`, `protocols` and `metrics`."""
    return {"methods": METHODS, "models": MODELS, "protocols": PROTOCOLS, "metrics": METRICS}


def word_verdict(verdict: str, preliminary: str, scope: str = "") -> str:
    """The verdict, what it speaks of, and if it is preliminary which seeds it lacks, as the documents have it."""
    return verdict + f" {scope}" * bool(scope) + f" (preliminary: {preliminary})" * bool(preliminary)
