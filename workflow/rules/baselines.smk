# The models that the competition is compared with; one job trains a baseline in both protocols.

SCORING = ("likelihood", "kernel_density", "distances", "classifier", "frechet")  # by which baselines are tuned


rule train_baseline:
    input:
        config=SETTINGS,
        data=data_of,
        competition=lambda wildcards: last_round_of(wildcards).metrics,
        classifier=tuning_classifier_of,
        code=code("baselines", *METHOD, *(f"evaluation/{name}.py" for name in SCORING)),
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
        classifier=lambda wildcards, input: (
            f"--classifier {Path(input.classifier[0]).parent}" if input.classifier else ""
        ),
        out=subpath(output.state, parent=True),
    shell:
        "competitive-mixtures train-baseline --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --name {wildcards.baseline} --competition {params.competition} --rounds {params.rounds}"
        " {params.classifier} --threads {params.threads} --out {params.out} 2> {log}"
