# Tables, figures, verdicts and the paper.

DEFAULT = params.suite("default")
OTHERS = {run: checksum for run, checksum in finished_runs().items() if run not in runs_of(DEFAULT)}
PLANS = expand("results/plan/{experiment}.json", experiment=params.experiments)
SUMMARY_CODE = ["report/summary.py", "report/results.py", "report/csv_files.py"]
SCORE_CODE = SUMMARY_CODE + [f"report/{name}.py" for name in ("scores", "intervals", "plan", "bounds", "names")]


# One summary an experiment, so that DVC sees which of them changed.
rule summarize_experiment:
    input:
        scores=lambda wildcards: scores_of([wildcards.experiment]),
        code=code(*SUMMARY_CODE),
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
        rounds=lambda wildcards: rounds_of([wildcards.experiment]),
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures summarize --out {params.out} {params.rounds} {params.runs} 2> {log}"


rule summarize:
    input:
        tables_of(DEFAULT),
        code=code(*SUMMARY_CODE),
    output:
        report("results/summary.csv", caption="../report/summary.rst", category="Files", labels={"file": "summary.csv"}),
        multiext("results/", *SUMMARY[1:]),
    log:
        "logs/report/summarize.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        runs=runs_of(DEFAULT) + list(OTHERS),
        rounds=rounds_of(params.experiments),
        checksums=list(OTHERS.values()),
    shell:
        "competitive-mixtures summarize --out results {params.rounds} {params.runs} 2> {log}"


rule assess_claims:
    input:
        multiext("results/", *SUMMARY),
        PLANS,
        claims="paper/claims.yaml",
        code=code("report/claims", "report/intervals.py", *SUMMARY_CODE),
    output:
        "results/claim_parts.csv",
        claims=report(
            "results/claims.csv", caption="../report/claims.rst", category="Files", labels={"file": "claims.csv"}
        ),
    log:
        "logs/report/assess_claims.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    shell:
        "competitive-mixtures assess-claims --claims {input.claims} --out {output.claims} 2> {log}"


rule write_tables:
    input:
        multiext("results/", *SUMMARY),
        PLANS,
        collect("paper/{name}", name=["reported.csv", "authors_code.csv", "deviations.yaml"]),
        code=code("report/tables", "report/environment.py", *SCORE_CODE),
    output:
        directory("paper/tables"),
    log:
        "logs/report/write_tables.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    shell:
        "competitive-mixtures write-tables --out {output} 2> {log}"


rule plot_figures:
    input:
        multiext("results/", *SUMMARY),
        PLANS,
        code=code("report/figures", *SCORE_CODE),
    output:
        report(
            directory("paper/figures"),
            patterns=["{figure}.{format,svg|png}"],
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
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
        sorted(map(str, [*Path("paper").rglob("*.typ"), *Path("paper").glob("*.bib")])),
        multiext("results/", *SUMMARY),
        "results/claims.csv",
        "results/claim_parts.csv",
        "paper/tables",
        "paper/figures",
        code=code("report/compile.py"),
    output:
        report("paper/paper.pdf", caption="../report/paper.rst", category="Report", labels={"file": "paper.pdf"}),
    log:
        "logs/report/compile_paper.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    shell:
        "competitive-mixtures compile-paper 2> {log}"


rule write_pages:  # what `snakemake --report` can show of tables and animations
    input:
        "results/summary.csv",
        "results/claims.csv",
        "paper/tables",
        "paper/figures",
        code=code("report/pages.py", "report/csv_files.py"),
    output:
        tables=report(
            directory("results/pages/tables"),
            patterns=["{table}.html"],
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        animations=report(
            directory("results/pages/animations"),
            patterns=["{figure}.html"],
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "logs/report/write_pages.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        out=subpath(output.tables, parent=True),
    shell:
        "competitive-mixtures write-pages --out {params.out} 2> {log}"
