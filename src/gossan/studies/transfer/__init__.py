"""The transfer study: prospectivity with very few labelled deposits and much unlabelled ground.

A study file with a table of labels, background and rasters comes in; a run folder goes out.
"""
