# Tables, figures, verdicts and the paper.

DEFAULT = params.suite("default", "claims")
DEFAULT_RUNS = [str(run.path) for run in runs_of(DEFAULT)]
OTHERS = {run: checksum for run, checksum in finished_runs().items() if run not in DEFAULT_RUNS}
PLAN = [RESULTS.plan, *map(RESULTS.settings, reported())]  # what was to be run, whatever the suite
SUMMARY_CODE = ["report/summary.py", "report/results.py", "files/tables.py"]
SUMMARY = code("summary", *SUMMARY_CODE)
SCORE_CODE = [
    f"report/{name}.py"
    for name in ("scores", "intervals", "plan", "best_likelihood", "names", "authors_code", "kept", "partitions")
]
SCORE_CODE += [*SUMMARY_CODE, "settings", "data"]


# One summary an experiment, so that DVC sees which of them changed.
rule summarize_experiment:
    input:
        scores=lambda wildcards: scores_of([wildcards.experiment]),
        code=SUMMARY,
    output:
        RESULTS.summary_of("{experiment}").files,
    log:
        "logs/experiments/{experiment}/summarize.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        runs=lambda wildcards: [str(run.path) for run in runs_of([wildcards.experiment])],
        rounds=lambda wildcards: rounds_of([wildcards.experiment]),
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures summarize --out {params.out} {params.rounds} {params.runs} 2> {log}"


rule summarize:
    input:
        tables_of(DEFAULT),
        code=SUMMARY,
    output:
        report(
            RESULTS.summary.scores, caption="../report/summary.rst", category="Files", labels={"file": "summary.csv"}
        ),
        RESULTS.summary.files[1:],
    log:
        "logs/report/summarize.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        runs=DEFAULT_RUNS + list(OTHERS),
        rounds=rounds_of(reported()),
        checksums=list(OTHERS.values()),
    shell:
        "competitive-mixtures summarize --out results {params.rounds} {params.runs} 2> {log}"


rule assess_claims:
    input:
        RESULTS.summary.scores,
        RESULTS.summary.rounds,
        claims=PAPER.claims,
        code=code(
            "claims",
            *(f"report/{name}" for name in ("claims", "intervals.py", "names.py", "kept.py")),
            "settings/yaml_files.py",
            *SUMMARY_CODE,
        ),
    output:
        RESULTS.claim_parts,
        claims=report(RESULTS.claims, caption="../report/claims.rst", category="Files", labels={"file": "claims.csv"}),
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
        RESULTS.summary.scores,
        RESULTS.summary.rounds,
        PLAN,
        PAPER.reported,
        PAPER.authors_code,
        PAPER.partitions,
        PAPER.deviations,
        code=code("tables", "report/tables", "report/environment.py", *SCORE_CODE),
    output:
        directory(PAPER.tables),
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
        RESULTS.summary.scores,
        RESULTS.summary.rounds,
        RESULTS.summary.timing,
        RESULTS.claims,
        RESULTS.claim_parts,
        PAPER.tables,
        PAPER.authors_code,
        PAPER.partitions,
        PLAN,
        code=code("figures", "report/figures", *SCORE_CODE),
    output:
        report(
            directory(PAPER.figures),
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
        sorted({*PAPER.path.rglob("*.typ"), *PAPER.path.glob("*.bib")} - {PAPER.demo}),
        RESULTS.summary.timing,
        RESULTS.claims,
        RESULTS.claim_parts,
        PAPER.tables,
        PAPER.figures,
        code=code("paper", "report/compile.py"),
    output:
        report(PAPER.pdf, caption="../report/paper.rst", category="Report", labels={"file": "paper.pdf"}),
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
        RESULTS.summary.scores,
        RESULTS.claims,
        PAPER.tables,
        PAPER.figures,
        code=code("pages", "report/pages.py", "report/names.py", "files/tables.py"),
    output:
        tables=report(
            directory(RESULTS.pages / "tables"),
            patterns=["{table}.html"],
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        animations=report(
            directory(RESULTS.pages / "animations"),
            patterns=["{figure}.html"],
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        overview=RESULTS.overview,
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
