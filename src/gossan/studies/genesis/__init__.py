"""The genesis study: deposit types from mineral chemistry.

`tables` reads, `trust` validates, `deposit_types` gives verdicts, `findings` explains, `run` calls
them in order; `sections` has the words of the study file, `study.toml` its template.
"""
