"""The studies: a commented TOML template of each, and the steps that its sections call.

`gossan init` prints a template; `gossan.study` reads, checks and runs it.
"""
