"""Reports behind the wall: closed reports for the committee, and the final report."""
