"""How things look, wherever they are drawn: what each colour means, on light and on dark ground."""
