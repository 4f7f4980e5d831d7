create or replace function equipoise_now() returns timestamptz
language sql volatile set search_path = pg_catalog as $$ select clock_timestamp() + make_interval(secs => {offset}) $$;
-- What makes a line of a history impossible to guess from its digest.
create or replace function equipoise_salt(what text) returns uuid
language sql volatile set search_path = pg_catalog as $$ select gen_random_uuid() $$;
