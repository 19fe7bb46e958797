"""Worksheets: an exercise with blanks, its key, and numbers of its own for every student."""
