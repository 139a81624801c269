# The competition, one job a round. Round t reads the data and round t-1, nothing else, so that a run can stop
# anywhere and go on, be lengthened, and be spread over machines.
#
# No rule has a `benchmark:`. Jobs are forked from a server (launch/fork_server.py), so it would measure the command that
# waits for one. What a job took is in its metrics.json, and for all of them in results/timing.csv.

COMPETITION = code(
    "rounds", *METHOD, "pipeline/jobs.py", "evaluation/clustering.py", "evaluation/objective.py", "files/tables.py"
)
SHARDED = [name for name, experiment in params.experiments.items() if experiment.shards > 1]
WHOLE = [name for name in params.experiments if name not in SHARDED]


rule learn_representation:  # only where an experiment has one: of others `data_of` asks for the data set itself
    input:
        config=SETTINGS,
        data=images_of,
        code=code("representation", *METHOD),
    output:
        RUN.representation.meta,
        RUN.representation.state,
        RUN.representation.metrics,
    log:
        "logs/experiments/{experiment}/seed-{seed}/learn_representation.log",
    priority: urgency
    threads: resource("threads")
    resources:
        gpu=gpus,
        mem_mb=resource("mem_mb"),
        runtime=resource("runtime"),
    params:
        data=subpath(input.data, parent=True),
        threads=resource("threads"),
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures learn-representation --config {input.config} --data {params.data}"
        " --seed {wildcards.seed} --threads {params.threads} --out {params.out} 2> {log}"


rule pretrain:
    input:
        config=SETTINGS,
        data=data_of,
        code=COMPETITION,
    output:
        tables_in(RUN.pretraining),
        state=temp(RUN.pretraining.state),
    log:
        "logs/experiments/{experiment}/seed-{seed}/pretrain.log",
    priority: urgency
    threads: resource("threads")
    resources:
        gpu=gpus,
        mem_mb=resource("mem_mb"),
        runtime=resource("runtime"),
    params:
        data=subpath(input.data, parent=True),
        threads=resource("threads"),
        out=subpath(output.state, parent=True),
    shell:
        "competitive-mixtures pretrain --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --threads {params.threads} --out {params.out} 2> {log}"


rule train_round:
    input:
        config=SETTINGS,
        data=data_of,
        previous=previous_of,
        former=former_of,
        code=COMPETITION,
    output:
        tables_in(ROUND),
        state=temp(ROUND.state),
    log:
        "logs/experiments/{experiment}/seed-{seed}/round-{round}.log",
    wildcard_constraints:
        experiment=any_round(WHOLE),
    priority: urgency
    threads: resource("threads")
    resources:
        gpu=gpus,
        mem_mb=resource("mem_mb"),
        runtime=resource("runtime"),
    params:
        data=subpath(input.data, parent=True),
        threads=resource("threads"),
        previous=subpath(input.previous, parent=True),
        out=subpath(output.state, parent=True),
    shell:
        "competitive-mixtures train-round --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --round {wildcards.round} --previous {params.previous}"
        " --threads {params.threads} --out {params.out} 2> {log}"


# The last state is kept: the scores need it, and a run that is lengthened goes on from it.
use rule train_round as train_last_round with:
    output:
        tables_in(ROUND),
        state=ROUND.state,
    wildcard_constraints:
        experiment=last_round(WHOLE),


# With `shards: S` a round is S jobs that each train and score their share of the components, and one that joins them.
rule train_shard:
    input:
        config=SETTINGS,
        data=data_of,
        previous=previous_of,
        code=COMPETITION,
    output:
        temp(ROUND.partial_round("{shard}")),
    log:
        "logs/experiments/{experiment}/seed-{seed}/round-{round}-shard-{shard}.log",
    wildcard_constraints:
        experiment=any_round(SHARDED),
    priority: urgency
    threads: resource("threads")
    resources:
        gpu=gpus,
        mem_mb=resource("mem_mb"),
        runtime=resource("runtime"),
    params:
        data=subpath(input.data, parent=True),
        threads=resource("threads"),
        previous=subpath(input.previous, parent=True),
        shards=lambda wildcards: experiment_of(wildcards).shards,
    shell:
        "competitive-mixtures train-shard --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --round {wildcards.round} --previous {params.previous} --shard {wildcards.shard} --shards {params.shards}"
        " --threads {params.threads} --out {output} 2> {log}"


rule reassign:
    input:
        config=SETTINGS,
        data=data_of,
        previous=previous_of,
        former=former_of,
        shards=shards_of,
        code=COMPETITION,
    output:
        tables_in(ROUND),
        state=temp(ROUND.state),
    log:
        "logs/experiments/{experiment}/seed-{seed}/round-{round}.log",
    wildcard_constraints:
        experiment=any_round(SHARDED),
    priority: urgency
    threads: 1
    resources:
        gpu=0,
        mem_mb=resource("mem_mb"),
        runtime=10,
    params:
        data=subpath(input.data, parent=True),
        threads=resource("threads"),
        previous=subpath(input.previous, parent=True),
        out=subpath(output.state, parent=True),
    shell:
        "competitive-mixtures reassign --config {input.config} --data {params.data} --seed {wildcards.seed}"
        " --round {wildcards.round} --previous {params.previous}"
        " --threads {params.threads} --out {params.out} {input.shards} 2> {log}"


use rule reassign as reassign_last with:
    output:
        tables_in(ROUND),
        state=ROUND.state,
    wildcard_constraints:
        experiment=last_round(SHARDED),


ruleorder: train_last_round > train_round
ruleorder: reassign_last > reassign
