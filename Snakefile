"""What depends on what, and which resources a job needs; every number stands in params.yaml."""

import sys

from snakemake.utils import min_version

from competitive_mixtures.settings.schema import load_params
from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.resolved import write_resolved
from competitive_mixtures.settings.yaml_files import read_yaml

min_version("9.20")

try:
    for file in ("params.yaml", *workflow.configfiles):
        read_yaml(file)  # of a key that stands twice Snakemake takes the last, and it says of no mistake where it is
except UserError as error:
    sys.exit(str(error))


configfile: "params.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


try:
    params = load_params(config)
    write_resolved(params)
except UserError as error:
    sys.exit(str(error))  # all mistakes at once, and no trace of a program


localrules:  # downloads need the network, the others take a second
    download,
    find_inception,
    summarize_experiment,
    summarize,
    compile_paper,
    write_demo,
    write_pages,


wildcard_constraints:
    dataset="[^/]+",
    experiment="[^/]+",
    seed=r"\d+",
    round=r"\d+",
    shard=r"\d+",
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
        map(DATA.settings, params.datasets),


rule data:
    input:
        datasets_of(params.suite("default")),
        classifiers_of(params.suite("default")),


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
        tables_of(params.suite("ablations")),


rule verdict:  # what the claims need; `all` then assesses them
    input:
        runs_of_claims,


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
