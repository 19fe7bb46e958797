"""`derive explain "d/dz log(1+exp(-z))"`: the derivative of an expression as typed, rule by rule.

`reading` reads what was typed, `places` finds values at which its lines can be checked, `page` writes it up,
`witness` has SymPy differentiate once more.
"""

from derive.derivatives.page import write
from derive.derivatives.places import draws
from derive.derivatives.reading import Asked, called_in_output, is_meant, read
from derive.derivatives.witness import by_sympy

__all__ = ["Asked", "by_sympy", "called_in_output", "draws", "is_meant", "read", "write"]
