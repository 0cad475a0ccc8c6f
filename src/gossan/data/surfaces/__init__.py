"""Triangulated surfaces, faults and contacts mostly, and the files they are kept in.

What a mine package exports comes in; `Surface` records go out, and the reverse.
"""
