"""How alike are the arms, before and after matching or weighting?"""
