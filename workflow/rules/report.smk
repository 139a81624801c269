# Tables, figures and the paper.

DEFAULT = params.suite("default")


# One table an experiment, so that DVC sees which of them changed.
rule summarize_experiment:
    input:
        scores=lambda wildcards: scores_of([wildcards.experiment]),
        code=code("report/summary.py"),
    output:
        multiext("results/tables/{experiment}/", *SUMMARY),
    log:
        "logs/{experiment}/summarize.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        runs=lambda wildcards: runs_of([wildcards.experiment]),
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures summarize --out {params.out} {params.runs} 2> {log}"


rule summarize:
    input:
        tables_of(DEFAULT),
    output:
        multiext("results/", *SUMMARY),
    log:
        "logs/report/summarize.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        runs=runs_of(DEFAULT),
    shell:
        "competitive-mixtures summarize --out results {params.runs} 2> {log}"


rule plot_figures:
    input:
        "results/summary.csv",
        "results/rounds.csv",
        code=code("report/figures"),
    output:
        directory("paper/figures"),
    log:
        "logs/report/plot_figures.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=20,
    shell:
        "competitive-mixtures plot-figures --out {output} 2> {log}"


rule compile_paper:
    input:
        "paper/paper.typ",
        "paper/references.bib",
        "paper/figures",
        multiext("results/", *SUMMARY),
    output:
        "paper/paper.pdf",
    log:
        "logs/report/compile_paper.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    shell:
        "competitive-mixtures compile-paper 2> {log}"
