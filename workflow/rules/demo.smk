# A first look: one small competition, its figure and a page, apart from all that the report stands on.

DEMO = params.suite("demo")[0]
DEMO_ROUNDS = params.experiments[DEMO].rounds
DEMO_TABLE = RESULTS.run(DEMO, 0).round(DEMO_ROUNDS).assignments


localrules:
    write_demo,


rule write_demo:
    input:
        tables_of([DEMO]),
        datasets_of([DEMO]),
        DEMO_TABLE,
        RESULTS.settings(DEMO),
        PAPER.demo,
        code=code("demo", "report/demo.py", "report/compile.py", "report/figures", *SCORE_CODE),
    output:
        RESULTS.demo.figure,
        RESULTS.demo.pdf,
    log:
        "logs/report/write_demo.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        experiment=DEMO,
        rounds=DEMO_ROUNDS,
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures write-demo --experiment {params.experiment} --rounds {params.rounds}"
        " --out {params.out} 2> {log}"


rule demo:  # runs whenever it is asked for, so that it names the files again
    input:
        RESULTS.demo.pdf,
        RESULTS.demo.figure,
        DEMO_TABLE,
    message:
        "The demo's files:\n"
        "  {input[0]}  the report, one page\n"
        "  {input[1]}  who won each point, by round\n"
        "  {input[2]}  the last round's table: a row a point, who won it"
    shell:
        "true"
