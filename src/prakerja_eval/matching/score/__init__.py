"""How likely was each person to be treated? Models of the score, and who has common support."""
