"""Do the intervals cover what they claim? Simulations with known truth (`make validate`)."""
