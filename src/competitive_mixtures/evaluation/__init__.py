"""Scores of a trained mixture: pure functions of arrays, one module a family, nothing imported before it is needed."""
