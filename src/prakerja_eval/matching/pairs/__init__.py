"""Who is compared with whom, one by one? Neighbours on the score or on covariates."""
