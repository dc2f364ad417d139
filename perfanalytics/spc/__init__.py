"""Control charts: families of charts, rules as data, one kernel for one series and for ten thousand."""
