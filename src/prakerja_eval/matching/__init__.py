"""Who, among people not treated, resembles those who were, and what follows from it."""
