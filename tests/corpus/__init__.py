"""Faulty files of a small panel, one fault each, with what is found and how each one is mended."""
