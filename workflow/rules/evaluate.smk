# The scores of a run: the competition and its baselines, judged by the same samples and the same points.


rule find_inception:  # where the weights are, or why they cannot be had; only experiments with FID ask for it
    input:
        lambda wildcards: [file for file in inception_files() if Path(file).is_file()],
        code=code("evaluation/inception_weights.py"),
    output:
        INCEPTION,
    log:
        "logs/data/find_inception.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=60,
    params:
        path=lambda wildcards: " ".join(f"--path {quote(file)}" for file in inception_files()[:-1]),
        sha256=lambda wildcards: params.inception.sha256,
    shell:
        "competitive-mixtures find-inception {params.path} --sha256 {params.sha256} --out {output} 2> {log}"


rule evaluate:
    input:
        config=CONFIG,
        data=data_of,
        last=lambda wildcards: f"{last_round_of(wildcards)}/state.safetensors",
        baselines=baselines_of,
        classifier=lambda wildcards: classifiers_of([wildcards.experiment]),
        inception=lambda wildcards: INCEPTION if experiment_of(wildcards).evaluation.fid_features else [],
        code=[*METHOD, "src/competitive_mixtures/pipeline/evaluate.py"],
    output:
        SCORES,
        f"{RUN}/evaluation/samples.npz",
    log:
        "logs/{experiment}/seed-{seed}/evaluate.log",
    priority: urgency
    threads: resource("threads")
    resources:
        gpu=gpus,
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
        inception=lambda wildcards, input: f"--inception {input.inception}" if input.inception else "",
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures evaluate --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --rounds {params.rounds} --run {params.run}/seed-{wildcards.seed} {params.classifier}"
        " {params.inception} --threads {params.threads} --out {params.out} 2> {log}"
