"""The figures of the report, one file a kind; each is drawn from finished runs or from the tables of all runs."""
