"""Network diagrams: one description, one layout, and three back ends (SVG, TikZ, matplotlib)."""
