"""Network diagrams and charts: one description and one layout of each, and three back ends (SVG, TikZ, matplotlib)."""
