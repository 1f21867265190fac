"""What the Models page is made of: the paper's tables, our runs beside them, a network drawn."""
