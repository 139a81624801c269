"""From the results of the runs to the report: summary, tables, figures, claims, the paper."""
