"""Worlds that are played: published data through the actions, and the demo. Never a real trial."""
