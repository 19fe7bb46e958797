"""Marking: a student's numbers and formulas against the graph of the network, step by step.

`submission` is what a student handed in, `circuit` the network as single numbers and their formulas, `marking` walks
it with the student's own values in the place of the computed ones, `mistakes` holds what is often done wrong.
"""
