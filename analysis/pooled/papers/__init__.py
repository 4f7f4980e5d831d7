"""The open report: how the trial goes, of all arms together."""
