"""What would have happened to the recipients had they followed the comparison group's path."""
