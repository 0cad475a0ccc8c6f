"""Drill holes: their tables read and checked, desurveyed, composited and searched for intercepts.

Collar, survey and interval tables come in; `DrillHoles`, points in space and a report go out.
"""
