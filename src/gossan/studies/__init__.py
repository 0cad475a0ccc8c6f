"""The studies as commented TOML templates, one file each.

`gossan init` prints one; `gossan.study` reads, checks and runs it.
"""
