"""Who is compared with whom, within strata?"""
