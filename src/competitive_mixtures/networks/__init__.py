"""Networks that hold k copies at once: every tensor has a leading component axis.

`layers` and `architectures` build networks, `adam` trains them. A `stack` is k networks of one kind: a `component` is a
`vae` or a `gan`, a `discriminator` tells points from samples, an `offset_classifier` tells all components apart. An
`ensemble` is all stacks of an experiment. `cell_gaussians` standardise each component by its cell's covariance; the
`autoencoder` stands before them all. `kernels` are what makes small networks fast on a CPU.
"""
