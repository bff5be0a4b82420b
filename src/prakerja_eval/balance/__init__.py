"""How alike the arms are, before and after matching or weighting."""
