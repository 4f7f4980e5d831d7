"""Two worlds that differ in allocation and in what happens behind the wall alone, and everything a blinded person can read of each.

Non-interference (Goguen and Meseguer 1982): whatever a blinded login can read is a function of open events alone. ``script`` plays a
world, ``data`` reads what the login reads, ``crawl`` what people read, ``comparison`` says where two worlds differ, ``report`` prints it.
"""
