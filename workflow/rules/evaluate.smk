# The scores of a run: the competition and its baselines, judged by the same samples and the same points.


rule evaluate:
    input:
        config=CONFIG,
        data=data_of,
        last=lambda wildcards: f"{last_round_of(wildcards)}/state.safetensors",
        baselines=baselines_of,
        classifier=lambda wildcards: classifiers_of([wildcards.experiment]),
        code=code("scores.py", "runs.py", "evaluation", "competition.py", "baselines.py", "networks"),
    output:
        SCORES,
        f"{RUN}/evaluation/samples.npz",
    log:
        "logs/{experiment}/seed-{seed}/evaluate.log",
    priority: urgency
    threads: resource("threads")
    resources:
        gpu=resource("gpu"),
        mem_mb=resource("mem_mb"),
        runtime=resource("runtime"),
    params:
        data=subpath(input.data, parent=True),
        threads=resource("threads"),
        run=subpath(input.config, parent=True),
        rounds=lambda wildcards: experiment_of(wildcards).rounds,
        classifier=lambda wildcards, input: (
            f"--classifier {Path(input.classifier[0]).parent}" if input.classifier else ""
        ),
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures evaluate --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --rounds {params.rounds} --run {params.run}/seed-{wildcards.seed} {params.classifier}"
        " --threads {params.threads} --out {params.out} 2> {log}"
