"""The measurement repository: raw records in, series and saved results out."""
