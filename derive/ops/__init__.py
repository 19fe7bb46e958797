"""Everything that can be computed: structural ops, elementwise ops, and the vector ops of classification."""
