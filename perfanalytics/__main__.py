"""``python -m perfanalytics`` is the same as the command ``perfanalytics``."""

from perfanalytics.cli import main

main()
