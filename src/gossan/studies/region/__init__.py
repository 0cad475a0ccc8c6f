"""The region study: geochemical maps and known occurrences to a map of where ore may be.

A study file comes in; a run folder with maps, targets, a model and a report goes out.
"""
