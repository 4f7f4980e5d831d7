"""The trial definition as data: arms, strata, sites, visits, instruments, eligibility, consent and analysis."""
