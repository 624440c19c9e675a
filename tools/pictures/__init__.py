"""Pictures of the page and the terminal for the docs, of a made-up state: see `python -m tools.screenshots`."""
