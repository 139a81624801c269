"""Networks that hold k copies at once: every tensor has a leading component axis.

`layers` and `architectures` build networks, `adam` trains them. A `stack` is k networks of one kind: a `component` is a
`vae` or a `gan`, a `discriminator` tells points from samples. An `ensemble` is all stacks of an experiment.
"""
