"""The tailings study: concentrations between samples, by kriging joined with a recurrent network.

`tables` reads, `methods` estimate, `trust` validates them side by side, `published` runs the template
as printed, `findings` and `maps` gather what the report shows, `run` calls them in order; `sections`
has the words of the study file, `study.toml` its template.
"""
