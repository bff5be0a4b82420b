"""How much does each person count? Weights by a score, or that balance covariates."""
