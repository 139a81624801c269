"""The paper's algorithm, and what is compared with it.

`rounds` plays it: pretraining on the `start`, then steps (a) to (e) of each round. Its parts are `training` (a, b;
`batches` draws), `scoring` (c, and Z_j) and `assignment` (d, load balancing). `state` is what passes from round to
round, `partial_round` what a shard brings. `run` is one experiment with one seed (`scale` its units, `device` where it
computes). Ours: `gaussian_start`, with `gaussian_fits`, `gaussian_parts` and `valleys`; `early_stopping`;
`revival`, by `cell_widths`; `candidates` and `score_table`, for fewer scores; `representation`. What standardises each
component is `networks.component`. Compared: `baselines`, by `baseline_training` and `tuning`, and `gaussian_mixture`;
`kmeans` is both a start and a rival's partition. How many points are scored at once is `batches`', by what they and the
networks take. `pytorch_settings` is what the estimator sets aside.
"""
