"""What depends on what, and which resources a job needs; every number stands in params.yaml."""

import sys

from snakemake.utils import min_version

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import write_resolved

min_version("9.20")


include: "workflow/rules/common.smk"


# the verdicts and a picture, where there are some
report: RESULTS.overview.resolve() if RESULTS.overview.is_file() else "workflow/report/workflow.rst"


try:
    # not by `configfile:`, whose YAML is not DVC's: it takes 5e-05 for a word, and the last of a key that stands twice
    params = read_params("params.yaml", workflow.configfiles, workflow.config_settings.config)
    write_resolved(params)
except UserError as error:
    sys.exit(str(error))  # all mistakes at once, and no trace of a program


localrules:  # downloads need the network, the others take a second
    download,
    find_inception,
    summarize_experiment,
    summarize,
    compile_paper,
    write_pages,


wildcard_constraints:
    dataset="[^/]+",
    experiment="[^/]+",
    seed=NUMBER,
    round=NUMBER,
    shard=NUMBER,
    baseline="[a-z_]+",


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/baselines.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


if params.suite("demo"):

    include: "workflow/rules/demo.smk"


rule all:
    default_target: True
    input:
        RESULTS.summary.files,
        RESULTS.pages / "tables",
        PAPER.figures,
        PAPER.pdf,


rule configure:  # what the rules read of params.yaml, which is written above
    input:
        PLAN,
        map(DATA.settings, params.list_datasets()),


rule data:
    input:
        datasets_of(params.suite("default", "claims")),
        classifiers_of(params.suite("default", "claims")),


rule summary:
    input:
        RESULTS.summary.scores,


rule claims:
    input:
        RESULTS.claims,


rule figures:
    input:
        PAPER.figures,


rule paper:
    input:
        PAPER.pdf,


rule ablations:
    input:
        tables_of(params.suite("claims", "ablations")),


rule verdict:  # what the claims need; `all` then assesses them
    input:
        runs_of_claims,


rule authors:
    input:
        tables_of(params.suite("authors")),


rule paper_scale:
    input:
        tables_of(params.suite("paper_scale")),


for experiment in reported():  # `snakemake synthetic-3` runs one experiment
    if workflow.is_rule(experiment):
        sys.exit(f"params.yaml: experiments.{experiment}: is what a step or target is called; choose another name")

    rule:
        name:
            experiment
        input:
            tables_of([experiment]),
