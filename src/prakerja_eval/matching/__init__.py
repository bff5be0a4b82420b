"""How alike are people who were and were not treated, and what does matching them say?"""
