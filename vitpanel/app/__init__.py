"""The page, the live model behind it, and the ways to open them."""
