# The scores of a run: the competition and its baselines, scored by the same samples and the same points.


rule find_inception:  # where the weights are, or why they cannot be had; only experiments with FID ask for it
    input:
        inception_of,
        code=code("inception", "data", "evaluation/inception_weights.py"),
    output:
        DATA.inception,
    log:
        "logs/data/find_inception.log",
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=60,
    params:
        path=lambda wildcards: f"--path {quote(inception_named()[1])}" if inception_named() else "",
        sha256=lambda wildcards: params.inception.sha256,
    shell:
        "competitive-mixtures find-inception {params.path} --sha256 {params.sha256} --out {output} 2> {log}"


rule evaluate:
    input:
        config=SETTINGS,
        data=data_of,
        images=images_of,
        last=lambda wildcards: last_round_of(wildcards).state,
        baselines=baselines_of,
        classifier=classifier_of,
        inception=lambda wildcards: DATA.inception if experiment_of(wildcards).evaluation.fid_features else [],
        code=code("evaluation", *METHOD, "pipeline/evaluate.py", "evaluation", "files/tables.py"),
    output:
        RUN.evaluation.scores,
        RUN.evaluation.samples,
    log:
        "logs/experiments/{experiment}/seed-{seed}/evaluate.log",
    priority: urgency
    threads: resource("threads")
    resources:
        gpu=gpus,
        mem_mb=resource("mem_mb"),
        runtime=resource("runtime"),
    params:
        data=subpath(input.data, parent=True),
        threads=resource("threads"),
        run=lambda wildcards: str(run_of(wildcards).path),
        rounds=lambda wildcards: experiment_of(wildcards).rounds,
        classifier=lambda wildcards, input: (
            f"--classifier {Path(input.classifier[0]).parent}" if input.classifier else ""
        ),
        images=lambda wildcards, input: (
            f"--images {Path(input.images).parent}" if experiment_of(wildcards).representation else ""
        ),
        inception=lambda wildcards, input: f"--inception {input.inception}" if input.inception else "",
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures evaluate --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --rounds {params.rounds} --run {params.run} {params.images} {params.classifier}"
        " {params.inception} --threads {params.threads} --out {params.out} 2> {log}"
