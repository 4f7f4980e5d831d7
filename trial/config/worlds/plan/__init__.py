"""What happens in the demo's IMR trial, as pure data: who comes when, and what becomes of everybody.

Nothing in here knows Django, a database or an action; the player (``trial.config.worlds.imr``) turns events into actions. The plan knows
the arm, since attendance, and what became of visits, differ by arm as published. Nobody who works in the demo can read it: what is kept
from them is kept by the database, which knows the arm from the allocator alone.

Numbers of people are those of the published flow (T/120); how they fall on days, teams and persons is made up.
"""
