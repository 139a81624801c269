"""The tables of the paper as CSV files: which rows each of them has."""
