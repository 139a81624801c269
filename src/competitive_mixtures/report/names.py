"""What models, protocols and metrics are called in tables and figures: the only place where these names stand.

Keys are those of `results/summary.csv`. The figures look the names up here; the paper's source reads them from
`paper/tables/names.json`, which is written with the other tables.
"""

MODELS = {  # in the order of summary.csv
    "competitive": "competitive mixture",
    "single": "one network",
    "single_wide": "one network, 3× width",
    "bagging": "bagging",
    "kmeans": "k-means, then one each",
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
    "num_parameters": "parameters",
}
AXES = {  # quantities along an axis, where there is room for the split and the unit
    "log_likelihood": "test log-likelihood (nats)",
    "frechet_classifier": "Fréchet distance, classifier",
    "compute": "samples × parameters",
    "objective": "objective (nats)",
}


def collect_names() -> dict[str, dict[str, str]]:
    """The names by kind, as the paper's source reads them: `models`, `protocols` and `metrics`."""
    return {"models": MODELS, "protocols": PROTOCOLS, "metrics": METRICS}
