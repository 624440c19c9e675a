"""Small programs that keep the checkout true to itself; nothing of them is part of the product."""
