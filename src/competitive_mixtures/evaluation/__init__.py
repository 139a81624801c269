"""Scores of a trained mixture: pure functions of arrays, one module a family, nothing imported before it is needed.

Densities: `kernel_density`, `likelihood`. Images: `frechet` (the distance and its matrix root), `kernel_distance`,
`image_scores` of the features of `classifier` or `inception` (`inception_weights` finds its file, `reference_features`
keeps features), `label_histogram`. Both: `precision_recall`. Partitions: `clustering`. The paper's objective:
`objective`. Pairwise distances for several of these: `distances`.
"""
