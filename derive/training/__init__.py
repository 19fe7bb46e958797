"""Many training steps: one step as a program generated from the graph (`terms`, `code`, `program`), and the loop around it."""
