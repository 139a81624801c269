"""The paper's algorithm: assignment, scoring, training, rounds, and our remedy for starved components."""
