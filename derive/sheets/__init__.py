"""Exercise sheets from a network file: the problem with blanks, its key, its solution, answers to fill in, and variants of it."""
