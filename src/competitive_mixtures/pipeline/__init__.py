"""The jobs of the workflow: one subcommand a rule, and the files of a run."""
