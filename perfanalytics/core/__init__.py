"""What every folder stands on: measures, series, results, records and the numerics they share.

Nothing here imports another folder of the package; NumPy and ``scipy.special`` are enough
(pandas appears only inside conversions).
"""
