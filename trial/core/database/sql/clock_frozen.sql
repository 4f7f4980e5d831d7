-- Demo worlds while they are played, and scratch databases: the player says what time it is.
create or replace function equipoise_now() returns timestamptz
language sql volatile set search_path = pg_catalog as $$
    select coalesce(nullif(current_setting('equipoise.now', true), '')::timestamptz, clock_timestamp() + make_interval(secs => {offset}))
$$;
-- The same play gives the same digests.
create or replace function equipoise_salt(what text) returns uuid
language sql volatile set search_path = pg_catalog as $$ select md5(what)::uuid $$;
