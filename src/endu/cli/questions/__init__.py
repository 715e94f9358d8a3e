"""Questions at the command line: trend, funnel, retention, paths, drivers, sql."""
