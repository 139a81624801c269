"""From finished runs to the report: summary, tables, figures, verdicts on the claims, and the paper as a PDF.

Tables, figures and claims do not import each other; what they share stands in this folder.
"""
