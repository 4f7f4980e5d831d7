-- Run once, when the server's data folder is made: the catalogs of these count the rows of secret tables too.
revoke all on database postgres from public;
revoke all on database template1 from public;
