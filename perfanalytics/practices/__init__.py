"""The high-maturity practices as analyses over the shelves below, and the catalogue of service measures."""
