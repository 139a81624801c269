"""How the pipeline's processes start: Snakemake's entry point, its lock, and the server that forks jobs; no science."""
