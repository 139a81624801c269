# The models that the competition is compared with; one job trains a baseline in both protocols.


rule train_baseline:
    input:
        config=SETTINGS,
        data=data_of,
        competition=lambda wildcards: last_round_of(wildcards).metrics,
        code=METHOD,
    output:
        state=BASELINE.state,
        metrics=BASELINE.metrics,
    log:
        "logs/experiments/{experiment}/seed-{seed}/baseline-{baseline}.log",
    priority: urgency
    threads: resource("threads")
    resources:
        gpu=gpus,
        mem_mb=resource("mem_mb"),
        runtime=resource("runtime"),
    params:
        data=subpath(input.data, parent=True),
        threads=resource("threads"),
        competition=subpath(input.competition, parent=True),
        rounds=lambda wildcards: experiment_of(wildcards).rounds,
        out=subpath(output.state, parent=True),
    shell:
        "competitive-mixtures train-baseline --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --name {wildcards.baseline} --competition {params.competition} --rounds {params.rounds}"
        " --threads {params.threads} --out {params.out} 2> {log}"
