"""Pictures of results: ``plot(result)`` is the one verb, dispatched on the kind of result."""
