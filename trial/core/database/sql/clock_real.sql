create or replace function equipoise_now() returns timestamptz
language sql volatile set search_path = pg_catalog as $$ select clock_timestamp() + make_interval(secs => {offset}) $$;
