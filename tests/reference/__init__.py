"""Reference networks in plain NumPy. Nothing here imports derive, and derive imports nothing from here."""
