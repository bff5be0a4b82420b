"""How far does an answer rest on what nobody observed, or on a choice?"""
