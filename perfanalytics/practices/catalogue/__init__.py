"""The catalogue of service measures: ready-made operational definitions, and where to begin with each.

``data`` holds the entries as text, ``reading`` makes objects of them, ``catalogue`` finds them, ``bindings``
says which base measures there are in somebody's data, ``plan_text`` writes entries into a measurement plan.
"""
