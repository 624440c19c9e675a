"""The whole path: real commands as real processes, real HTTP against the sandbox school, judged from outside."""
