# The scores of a run: the competition and its baselines, judged by the same samples and the same points.

SCORES = f"{RUN}/evaluation/scores.csv"


def baselines_of(wildcards):
    names = params.experiments[wildcards.experiment].baselines
    return [f"{RUN}/baselines/{name}/state.safetensors".format(**wildcards) for name in names]


def classifier_of(wildcards):
    """The classifier of the experiment's data set, where it has one."""
    return classifiers_of([wildcards.experiment])


rule evaluate:
    input:
        config=CONFIG,
        data=data_of,
        last=lambda wildcards: f"{last_round_of(wildcards)}/state.safetensors",
        baselines=baselines_of,
        classifier=classifier_of,
        code=code("evaluation", "competition.py", "baselines.py", "networks"),
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
        run=subpath(input.config, parent=True),
        rounds=lambda wildcards: params.experiments[wildcards.experiment].rounds,
        classifier=lambda wildcards, input: (
            f"--classifier {Path(input.classifier[0]).parent}" if input.classifier else ""
        ),
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures evaluate --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --rounds {params.rounds} --run {params.run}/seed-{wildcards.seed} {params.classifier}"
        " --out {params.out} 2> {log}"
