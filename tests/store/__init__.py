"""The store's contract, on every store that ships."""
