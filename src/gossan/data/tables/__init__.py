"""Messy tables as people keep them: headers, units, detection limits, coordinates, quality.

CSV, Excel and Parquet files come in; cleaned columns and a report of what was found go out.
"""
