"""Every code as data, one module per hundred: what a person reads when something was not done.

Only texts and their classes live here; `domain.problem` puts them together, and nothing else imports these modules.
"""
