-- Functions and trigger functions of the walls. Applied by setup_database after each migration, in one transaction with the grants.
-- Every SECURITY DEFINER function names its search_path.

create or replace function equipoise_sites() returns text[]
language plpgsql stable parallel safe set search_path = pg_catalog, public as $$
declare
    given text := current_setting('equipoise.sites', true);
begin
    -- after a rollback the setting is '' and not null: both mean that nobody said who asks
    if given is null or given = '' then
        raise exception 'no identity: a unit of work must say who asks before it reads trial data' using errcode = 'insufficient_privilege';
    end if;
    if given = '*' then
        return array(select code::text from public.protocol_site);
    end if;
    return string_to_array(btrim(given, ',-'), ',');
end $$;

create or replace function equipoise_login_side() returns text
language sql stable security definer set search_path = pg_catalog, public as $$
    select coalesce((select side from public.core_login where name = session_user), 'owner')
$$;

-- The one trigger function of the history. Arguments: side of the table; key column; site column or ''; columns left out, separated by commas.
create or replace function equipoise_history() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    table_side text := tg_argv[0];
    actor text := nullif(current_setting('equipoise.actor', true), '');
    act text := coalesce(current_setting('equipoise.action', true), '');
    why text := coalesce(current_setting('equipoise.reason', true), '');
    login_side text := public.equipoise_login_side();
    before jsonb := case when tg_op = 'INSERT' then null else to_jsonb(old) - string_to_array(tg_argv[3], ',') end;
    after jsonb := case when tg_op = 'DELETE' then null else to_jsonb(new) - string_to_array(tg_argv[3], ',') end;
    row_key text := coalesce(after, before) ->> tg_argv[1];
    row_site text := case when tg_argv[2] = '' then null else coalesce(after, before) ->> tg_argv[2] end;
    instant timestamptz := public.equipoise_now();
    changed_before jsonb;
    changed_after jsonb;
begin
    if actor is null then
        raise exception 'a write to % needs an actor', tg_table_name using errcode = 'insufficient_privilege';
    end if;
    if tg_op = 'UPDATE' then
        if before = after then
            return null;  -- only columns changed that stay out of the history
        end if;
        select jsonb_object_agg(key, value) into changed_after from jsonb_each(after) where before -> key is distinct from value;
        select jsonb_object_agg(key, value) into changed_before from jsonb_each(before) where after -> key is distinct from value;
    else
        changed_before := before;
        changed_after := after;
    end if;
    if table_side = 'open' then
        if login_side = 'unblinded' then
            insert into public.core_history(at, login, actor, action, reason, table_name, operation, row_id, site, old, new)
            values (instant, 'site staff', 'site staff', act, '', tg_table_name, tg_op, row_key, row_site, changed_before, changed_after);
        else
            insert into public.core_history(at, login, actor, action, reason, table_name, operation, row_id, site, old, new)
            values (instant, session_user, actor, act, why, tg_table_name, tg_op, row_key, row_site, changed_before, changed_after);
        end if;
    end if;
    if table_side = 'concealed' then
        insert into public.concealed_history(at, login, actor, action, reason, table_name, operation, row_id, site, old, new)
        values (instant, session_user, actor, act, why, tg_table_name, tg_op, row_key, row_site, changed_before, changed_after);
    elsif table_side in ('unblinded', 'dropbox') or login_side = 'unblinded' then
        insert into public.unblinded_history(at, login, actor, action, reason, table_name, operation, row_id, site, old, new)
        values (instant, session_user, actor, act, why, tg_table_name, tg_op, row_key, row_site, changed_before, changed_after);
    end if;
    return null;
end $$;

-- Rows that are only ever added: consent, allocation, visit status, releases.
create or replace function equipoise_append_only() returns trigger
language plpgsql set search_path = pg_catalog, public as $$
begin
    raise exception '% is append-only: a row is added, never changed or removed', tg_table_name using errcode = 'check_violation';
end $$;

-- The blinded login never touches the credentials of somebody who works on the unblinded side.
create or replace function equipoise_guard_credentials() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if public.equipoise_login_side() = 'default' and exists (
        select 1 from public.core_membership m join public.core_rolesiderow r on r.role = m.role
        where m.user_id = old.id and r.side <> 'open'
    ) then
        raise exception 'the open side does not change accounts of the unblinded side' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;

-- Nobody holds roles of both sides, and who has held an unblinded role gets no blind one.
create or replace function equipoise_guard_membership() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    wanted text := (select side from public.core_rolesiderow where role = new.role);
begin
    if wanted is null then
        raise exception 'no such role: %', new.role using errcode = 'check_violation';
    end if;
    if new.ended_at is not null then
        return new;
    end if;
    perform 1 from public.core_user where id = new.user_id for update;
    if exists (
        select 1 from public.core_membership m join public.core_rolesiderow r on r.role = m.role
        where m.user_id = new.user_id and m.id <> new.id and r.side <> wanted
          and (m.ended_at is null or (r.side = 'unblinded' and wanted = 'open'))
    ) then
        raise exception 'one person holds roles of one side only' using errcode = 'check_violation', constraint = 'core_membership_one_side';
    end if;
    return new;
end $$;

-- After the database lock no trial datum of the open side changes any more, by whichever login.
create or replace function equipoise_guard_lock() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if exists (select 1 from public.participants_databaselock) then
        raise exception 'the database is locked: % does not change any more', tg_table_name using errcode = 'check_violation', constraint = 'database_locked';
    end if;
    return coalesce(new, old);
end $$;

-- Facts that are written once: arguments are the columns.
create or replace function equipoise_write_once() returns trigger
language plpgsql set search_path = pg_catalog, public as $$
declare
    changed text;
begin
    select o.key into changed
    from jsonb_each_text(to_jsonb(old)) o join jsonb_each_text(to_jsonb(new)) n using (key)
    where o.key = any (tg_argv) and coalesce(o.value, '') <> '' and o.value is distinct from n.value limit 1;
    if changed is not null then
        raise exception '%.% is written once and never changes', tg_table_name, changed using errcode = 'check_violation', constraint = 'written_once';
    end if;
    return new;
end $$;

-- Nobody is registered without an eligible screening entry and a consent.
create or replace function equipoise_guard_registration() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (
        select 1 from public.participants_screeningentry s
        where s.id = new.screening_id and s.outcome in ('eligible', 'registered') and s.site_id = new.site_id
    ) then
        raise exception 'registration needs an eligible screening entry of the same site' using errcode = 'check_violation', constraint = 'registration_eligible';
    end if;
    if not exists (select 1 from public.participants_consent c where c.screening_id = new.screening_id and c.given) then
        raise exception 'registration needs a consent' using errcode = 'check_violation', constraint = 'registration_consent';
    end if;
    return new;
end $$;

-- A request needs a complete baseline; only the allocator answers it, and done means randomized.
create or replace function equipoise_guard_request() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    person public.participants_participant;
begin
    select * into person from public.participants_participant where id = new.participant_id;
    if person.baseline_completed_at is null or person.site_id <> new.site_id then
        raise exception 'a request to randomize needs a complete baseline' using errcode = 'check_violation', constraint = 'request_baseline';
    end if;
    if new.state = 'done' and person.randomized_at is null then
        raise exception 'a request is done when the participant has been randomized' using errcode = 'check_violation', constraint = 'request_done';
    end if;
    if tg_op = 'INSERT' and new.state <> 'waiting' then
        raise exception 'a request begins waiting' using errcode = 'check_violation', constraint = 'request_begins_waiting';
    end if;
    return new;
end $$;

-- An allocation answers a waiting request, from a slot of the sealed sequence.
create or replace function equipoise_guard_allocation() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (select 1 from public.participants_randomizationrequest r where r.participant_id = new.participant_id and r.state = 'waiting') then
        raise exception 'an allocation answers a waiting request' using errcode = 'check_violation', constraint = 'allocation_requested';
    end if;
    if not exists (
        select 1 from public.concealed_slot s join public.concealed_sequence q on q.id = s.sequence_id
        where q.version = new.sequence_version and s.stratum = new.stratum and s.position = new.position and s.arm = new.arm
    ) then
        raise exception 'an allocation comes from a slot of the sealed sequence' using errcode = 'check_violation', constraint = 'allocation_from_slot';
    end if;
    return new;
end $$;

-- Planned unblinding confirms the sponsor's request, by another person; a release follows it.
create or replace function equipoise_guard_unblinding() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (
        select 1 from public.participants_unblindingrequest r
        where r.id = new.request_id and r.requested_by = new.requested_by and r.requested_by <> new.confirmed_by
    ) then
        raise exception 'planned unblinding confirms a request of another person' using errcode = 'check_violation', constraint = 'unblinding_requested';
    end if;
    return new;
end $$;

create or replace function equipoise_guard_release() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (select 1 from public.participants_databaselock) or not exists (select 1 from public.unblinded_planned_unblinding) then
        raise exception 'nothing passes the gate before lock and planned unblinding' using errcode = 'check_violation', constraint = 'release_gate';
    end if;
    return new;
end $$;

-- A comparative run follows planned unblinding.
create or replace function equipoise_guard_comparative() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (select 1 from public.unblinded_planned_unblinding) then
        raise exception 'a comparative run follows planned unblinding' using errcode = 'check_violation', constraint = 'comparative_after_unblinding';
    end if;
    return new;
end $$;

-- An amendment is a version of a signed form, in turn, and changes something; its answers are there before it.
create or replace function equipoise_guard_amendment() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    signed public.entry_form;
    last public.entry_amendment;
begin
    select * into signed from public.entry_form where id = new.form_id;
    if signed.state <> 'signed' or signed.site_id <> new.site_id then
        raise exception 'only a signed form is amended' using errcode = 'check_violation', constraint = 'amendment_of_signed_form';
    end if;
    select * into last from public.entry_amendment where form_id = new.form_id order by number desc limit 1;
    if new.number <> coalesce(last.number, 0) + 1 then
        raise exception 'amendments of a form are numbered in turn' using errcode = 'check_violation', constraint = 'amendment_in_turn';
    end if;
    if new.held_on = coalesce(last.held_on, signed.held_on)
       and not exists (select 1 from public.entry_amendedanswer a where a.amendment_id = new.id) then
        raise exception 'an amendment changes something' using errcode = 'check_violation', constraint = 'amendment_changes';
    end if;
    return new;
end $$;

-- The row of an amendment closes its version: no answer is added afterwards.
create or replace function equipoise_guard_amended_answer() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if exists (select 1 from public.entry_amendment where id = new.amendment_id) then
        raise exception 'amendment % is signed and does not change', new.amendment_id using errcode = 'check_violation', constraint = 'amendment_closed';
    end if;
    return new;
end $$;

-- Scores are of a signed form, and of a version that exists.
create or replace function equipoise_guard_score() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (select 1 from public.entry_form where id = new.form_id and state = 'signed') then
        raise exception 'scores are of a signed form' using errcode = 'check_violation', constraint = 'score_of_signed_form';
    end if;
    if new.version > 0 and not exists (select 1 from public.entry_amendment where form_id = new.form_id and number = new.version) then
        raise exception 'a score of version % needs that amendment', new.version using errcode = 'check_violation', constraint = 'score_of_version';
    end if;
    return new;
end $$;

-- A query is about something of its own participant: a visit, a form of that visit, an item of that form.
create or replace function equipoise_guard_data_query() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (select 1 from public.participants_participant where id = new.participant_id and site_id = new.site_id)
       or (new.form_id is not null and not exists (
           select 1 from public.entry_form where id = new.form_id and participant_id = new.participant_id and visit = new.visit
       )) then
        raise exception 'a query is about a form or visit of its participant' using errcode = 'check_violation', constraint = 'query_about';
    end if;
    return new;
end $$;

-- The one state machine of queries: open or reopened -> answered or accepted; answered -> closed, accepted or reopened; over -> reopened.
create or replace function equipoise_guard_query_event() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    about public.cleaning_dataquery;
    last public.cleaning_queryevent;
    before text;
begin
    select * into about from public.cleaning_dataquery where id = new.query_id;
    select * into last from public.cleaning_queryevent where query_id = new.query_id order by number desc limit 1;
    before := coalesce(last.what, 'reopened');
    if about.site_id is distinct from new.site_id or new.number <> coalesce(last.number, 0) + 1 then
        raise exception 'events of a query follow each other' using errcode = 'check_violation', constraint = 'query_event_in_turn';
    end if;
    if (before, new.what) not in (
        ('reopened', 'answered'), ('reopened', 'accepted'), ('answered', 'closed'), ('answered', 'accepted'), ('answered', 'reopened'),
        ('closed', 'reopened'), ('accepted', 'reopened')
    ) then
        raise exception 'a query that is % is not %', before, new.what using errcode = 'check_violation', constraint = 'query_event_possible';
    end if;
    if new.code = 'corrected'
       and exists (select 1 from public.entry_form where id = about.form_id and state = 'signed')
       and not exists (
           select 1 from public.entry_amendment
           where id = new.amendment_id and form_id = about.form_id and amended_at >= about.raised_at
       ) then
        raise exception 'a signed form is corrected by an amendment' using errcode = 'check_violation', constraint = 'query_corrected_by_amendment';
    end if;
    return new;
end $$;

-- The database is not locked while a query is open.
create or replace function equipoise_guard_open_queries() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if exists (
        select 1 from public.cleaning_dataquery q
        where coalesce((select e.what from public.cleaning_queryevent e where e.query_id = q.id order by e.number desc limit 1), '')
              not in ('closed', 'accepted')
    ) then
        raise exception 'queries are open: close or accept them before the lock' using errcode = 'check_violation', constraint = 'lock_open_queries';
    end if;
    return new;
end $$;
