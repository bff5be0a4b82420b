"""Who stands in for each person when everybody near does?"""
