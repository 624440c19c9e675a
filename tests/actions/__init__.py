"""The composite actions, carried out as GitHub's runner would, and the linters that look at them."""
