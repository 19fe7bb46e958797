"""Exercise sheets from a network file: the problem with blanks, its key, its solution, and what answers are written into."""
