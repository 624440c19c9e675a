"""A crash storm: processes killed and frozen at random while they sync, and a judge who looks at what is left."""
