"""What the steps and targets of the workflow are called: `snakemake <experiment>` needs another name.

A test compares this with the rules.
"""

TARGETS = frozenset(
    {
        "ablations",
        "all",
        "assess_claims",
        "authors",
        "claims",
        "compile_paper",
        "configure",
        "data",
        "download",
        "evaluate",
        "figures",
        "find_inception",
        "learn_representation",
        "paper",
        "paper_scale",
        "plot_figures",
        "prepare",
        "pretrain",
        "reassign",
        "reassign_last",
        "summarize",
        "summarize_experiment",
        "summary",
        "train_baseline",
        "train_classifier",
        "train_further_classifier",
        "train_last_round",
        "train_round",
        "train_shard",
        "verdict",
        "write_demo",
        "write_pages",
        "write_tables",
    }
)
