# Data sets: fetched once, then prepared as arrays; and the classifier of a labelled image set.

PREPARATION = code("preparation", "data", "settings/blocks.py", "settings/resolved_data.py")


rule download:
    input:
        config=DATA.settings("{dataset}"),
        code=PREPARATION,
    output:
        DATA.raw("{dataset}").record,  # not the folder: files that a user put there stay
    log:
        "logs/data/{dataset}/download.log",
    priority: 1000  # everything waits for the data
    threads: 1
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=240,
    params:
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures download --config {input.config} --out {params.out} 2> {log}"


rule prepare:
    input:
        config=DATA.settings("{dataset}"),
        raw=raw_of,
        own=own_of,
        code=PREPARATION,
    output:
        DATASET.meta,
    log:
        "logs/data/{dataset}/prepare.log",
    priority: 1000
    threads: 1
    resources:
        gpu=0,
        mem_mb=4000,
        runtime=120,
    params:
        raw=subpath(input.raw, parent=True),
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures prepare --config {input.config} --raw {params.raw} --out {params.out} 2> {log}"


rule train_classifier:
    input:
        data=DATASET.meta,
        code=code("classifier", "data", "evaluation/classifier.py", "pipeline/classifier.py", "seeding.py"),
    output:
        CLASSIFIER.weights,
        CLASSIFIER.metrics,
    log:
        "logs/data/{dataset}/train_classifier.log",
    priority: 500  # the image experiments are scored by it
    threads: 1
    resources:
        gpu=0,
        mem_mb=3000,
        runtime=60,
    params:
        data=subpath(input.data, parent=True),
        seed=lambda wildcards: wildcards.get("seed", 0),
        out=subpath(output[0], parent=True),
    shell:
        "competitive-mixtures train-classifier --data {params.data} --seed {params.seed} --out {params.out} 2> {log}"


use rule train_classifier as train_further_classifier with:  # for experiments whose runs take several, see `draws`
    output:
        FURTHER_CLASSIFIER.weights,
        FURTHER_CLASSIFIER.metrics,
    log:
        "logs/data/{dataset}/train_classifier-{seed}.log",
