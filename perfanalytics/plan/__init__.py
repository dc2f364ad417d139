"""The measurement plan: one TOML file that people review and version like code.

``tables`` says what may stand in it, ``reading`` checks a file into those tables with errors a person
can act on, ``objects`` turns tables into the package's own objects, ``running`` does what it says.
"""
