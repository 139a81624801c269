"""`CompetitiveMixture`: the competition as a scikit-learn estimator."""
