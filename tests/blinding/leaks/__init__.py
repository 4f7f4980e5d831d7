"""Planted leaks: each is one way in which a program betrays an arm, to be caught by the comparison that should catch it."""
