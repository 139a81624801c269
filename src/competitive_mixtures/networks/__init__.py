"""Networks that hold k copies at once: every tensor has a leading component axis."""
