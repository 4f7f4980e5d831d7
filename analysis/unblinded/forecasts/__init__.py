"""What candidate schemes of allocation would cost in this trial, by simulation, before anybody is randomized."""
