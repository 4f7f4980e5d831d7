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
        return array(select code::text from public.protocol_site order by code);  -- never the order of rows on the disk
    end if;
    return string_to_array(btrim(given, ',-'), ',');
end $$;

create or replace function equipoise_login_side() returns text
language sql stable security definer set search_path = pg_catalog, public as $$
    select coalesce((select side from public.core_login where name = session_user), 'owner')
$$;

-- Whoever must be alone for the rest of the transaction, by subject, among those of the same side: to wait for another side would tell when
-- it works. Service logins have no advisory locks of their own: the allocator's and the database lock's could be held by anybody.
create or replace function equipoise_take_turn(what text) returns void
language sql security definer set search_path = pg_catalog, public as $$
    select pg_advisory_xact_lock(
        case public.equipoise_login_side() when 'default' then 731 when 'unblinded' then 732 when 'allocator' then 733 else 734 end, hashtext(what)
    )
$$;

-- No trial datum changes until the transaction ends: what is read meanwhile is of one moment.
create or replace function equipoise_hold_still() returns void
language sql security definer set search_path = pg_catalog, public as $$
    select pg_advisory_xact_lock(7305133)
$$;

-- The one trigger function of the history. Arguments: side of the table; key column; site column or ''; columns whose values stay out, and
-- columns that leave no trace, each separated by commas.
create or replace function equipoise_history() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    table_side text := tg_argv[0];
    actor text := nullif(current_setting('equipoise.actor', true), '');
    act text := coalesce(current_setting('equipoise.action', true), '');
    why text := coalesce(current_setting('equipoise.reason', true), '');
    login_side text := public.equipoise_login_side();
    silent text[] := string_to_array(tg_argv[4], ',');
    before jsonb := case when tg_op = 'INSERT' then null else to_jsonb(old) - silent end;
    after jsonb := case when tg_op = 'DELETE' then null else to_jsonb(new) - silent end;
    row_key text := coalesce(after, before) ->> tg_argv[1];
    row_site text := case when tg_argv[2] = '' then null else coalesce(after, before) ->> tg_argv[2] end;
    instant timestamptz := public.equipoise_now();
    changed_before jsonb;
    changed_after jsonb;
    hidden text;
    salt uuid;
begin
    foreach hidden in array string_to_array(tg_argv[3], ',') loop
        if tg_op = 'UPDATE' and before -> hidden is distinct from after -> hidden then
            before := before || jsonb_build_object(hidden, 'not shown');
            after := after || jsonb_build_object(hidden, 'changed');
        else
            before := before - hidden;
            after := after - hidden;
        end if;
    end loop;
    if actor is null then
        raise exception 'a write to % needs an actor', tg_table_name using errcode = 'insufficient_privilege';
    end if;
    if tg_op = 'UPDATE' then
        if before = after then
            return null;  -- only columns changed that leave no trace
        end if;
        if table_side in ('unblinded', 'dropbox') and public.equipoise_redacts(tg_table_name, to_jsonb(old), to_jsonb(new)) then
            return null;  -- or the text would be written down once more
        end if;
        select jsonb_object_agg(key, value) into changed_after from jsonb_each(after) where before -> key is distinct from value;
        select jsonb_object_agg(key, value) into changed_before from jsonb_each(before) where after -> key is distinct from value;
    else
        changed_before := before;
        changed_after := after;
    end if;
    salt := public.equipoise_salt(concat_ws(' ', instant, tg_table_name, tg_op, row_key, changed_after));
    if table_side = 'open' then
        perform pg_advisory_xact_lock_shared(7305141);  -- the seal knows by it that a row may still come
        if login_side = 'unblinded' then
            insert into public.core_history(at, login, actor, action, reason, table_name, operation, row_id, site, old, new, salt)
            values (instant, 'site staff', 'site staff', act, '', tg_table_name, tg_op, row_key, row_site, changed_before, changed_after, salt);
        else
            insert into public.core_history(at, login, actor, action, reason, table_name, operation, row_id, site, old, new, salt)
            values (instant, session_user, actor, act, why, tg_table_name, tg_op, row_key, row_site, changed_before, changed_after, salt);
        end if;
    end if;
    if table_side = 'concealed' then
        perform pg_advisory_xact_lock_shared(7305143);
        insert into public.concealed_history(at, login, actor, action, reason, table_name, operation, row_id, site, old, new, salt)
        values (instant, session_user, actor, act, why, tg_table_name, tg_op, row_key, row_site, changed_before, changed_after, salt);
    elsif table_side in ('unblinded', 'dropbox') or login_side = 'unblinded' then
        perform pg_advisory_xact_lock_shared(7305142);
        insert into public.unblinded_history(at, login, actor, action, reason, table_name, operation, row_id, site, old, new, salt)
        values (instant, session_user, actor, act, why, tg_table_name, tg_op, row_key, row_site, changed_before, changed_after, salt);
    end if;
    return null;
end $$;

-- --- the seal of the histories

-- A row of a history as it is hashed. The owner's command says the same in words of its own (trial.core.history.chain).
create or replace function equipoise_history_text(h jsonb) returns text
language sql immutable set search_path = pg_catalog as $$
    select jsonb_build_array(
        h -> 'id', h -> 'at', h -> 'login', h -> 'actor', h -> 'action', h -> 'reason', h -> 'table_name', h -> 'operation',
        h -> 'row_id', h -> 'site', h -> 'old', h -> 'new', h -> 'salt'
    )::text
$$;

-- Seal what has been written since the last seal, in batches: each hashes the head before it and the digests of its rows. Whoever writes
-- history shares a lock until the transaction ends; when the seal gets it alone, no smaller number can still come, so that a batch is
-- every row up to the last one, for ever. It only tries for the lock and gives it back at once: nobody waits for a seal, and a seal that
-- finds writers all the time leaves it to the next.
create or replace function equipoise_seal(which text) returns int
language plpgsql security definer set search_path = pg_catalog, public set timezone = 'UTC' as $$
declare
    source text := case which when 'open' then 'core_history' when 'unblinded' then 'unblinded_history' when 'concealed' then 'concealed_history' end;
    turn bigint := case which when 'open' then 7305141 when 'unblinded' then 7305142 when 'concealed' then 7305143 end;
    made int := 0;
    settled bigint;
    last record;
    batch record;
    instant timestamptz;
    head text;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'a history is sealed as it is now, not as a transaction saw it earlier' using errcode = 'insufficient_privilege', constraint = 'seal_isolation';
    end if;
    perform pg_advisory_xact_lock(turn + 10);  -- one seal at a time
    for attempt in 1 .. 50 loop
        begin
            if pg_try_advisory_xact_lock(turn) then
                execute format('select max(id) from public.%I', source) into settled;
            end if;
            raise exception using errcode = 'EQ731';
        exception when sqlstate 'EQ731' then
            null;  -- the lock is given back
        end;
        exit when settled is not null;
        perform pg_sleep(0.01);
    end loop;
    loop
        execute format('select number, last_row, head from public.%I order by number desc limit 1', source || '_seal') into last;
        execute format(
            'select count(*) as rows, min(id) as first, max(id) as last, string_agg(int8send(id) || sha256(convert_to(line, ''UTF8'')), ''''::bytea order by id) as digests'
            ' from (select h.id, public.equipoise_history_text(to_jsonb(h)) as line from public.%I h where h.id > $1 and h.id <= $2 order by h.id limit 10000) x',
            source
        ) into batch using coalesce(last.last_row, 0), coalesce(settled, 0);
        exit when batch.rows = 0;
        instant := public.equipoise_now();
        head := encode(sha256(convert_to(concat_ws(
            '|', source, coalesce(last.number, 0) + 1, batch.first, batch.last, batch.rows, to_jsonb(instant) #>> '{}', coalesce(last.head, '')
        ), 'UTF8') || batch.digests), 'hex');
        execute format('insert into public.%I(number, first_row, last_row, rows, at, digests, head) values ($1, $2, $3, $4, $5, $6, $7)', source || '_seal')
            using coalesce(last.number, 0) + 1, batch.first, batch.last, batch.rows, instant, batch.digests, head;
        made := made + 1;
    end loop;
    return made;
end $$;

-- What a service login may call: it seals the history of its own side, and says nothing about what.
create or replace function equipoise_seal_history() returns int
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    login_side text := public.equipoise_login_side();
begin
    return public.equipoise_seal(case login_side when 'default' then 'open' when 'unblinded' then 'unblinded' when 'allocator' then 'concealed' end);
end $$;

-- --- lawful redaction

-- The fields that hold what people typed in words of their own on the open side (trial.core.history.rules.REDACTABLE says the same).
create or replace function equipoise_redactable(table_name text, field text) returns boolean
language sql immutable set search_path = pg_catalog as $$
    select (table_name, field) in (('entry_answer', 'value'), ('entry_amendedanswer', 'value'), ('cleaning_dataquery', 'text'))
$$;

-- The same of the unblinded side and of the drop boxes; and the reason that was typed for a change, which stands in the history alone. Of an
-- admission the reason is a column of its record.
create or replace function equipoise_redactable_behind(table_name text, field text) returns boolean
language sql immutable set search_path = pg_catalog as $$
    select (table_name, field) in (
        ('dropbox_unblinding_report', 'words'), ('unblinded_code_break_reason', 'words'), ('unblinded_group', 'name'), ('unblinded_admission', 'reason'),
        ('unblinded_event_narrative', 'words'), ('unblinded_look_request', 'words'), ('unblinded_recommendation', 'words')
    ) or (field = 'change_reason' and table_name <> 'unblinded_admission')
$$;

create or replace function equipoise_holds_role(person text, wanted text) returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
    select exists (
        select 1 from public.core_membership m
        where m.user_id::text = person and m.role = wanted and m.confirmed_at is not null and m.ended_at is null
    )
$$;

-- A data manager of the side asks, about a line of its history and a field that may be redacted, and decides nothing.
create or replace function equipoise_guard_redaction() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    behind boolean := tg_table_name = 'unblinded_redaction';
    me text := coalesce(current_setting('equipoise.actor', true), '');
    last int;
    of_line boolean;
begin
    perform pg_advisory_xact_lock(case when behind then 7305145 else 7305144 end);
    if new.asked_by <> me or not public.equipoise_holds_role(me, case when behind then 'datamanager_unblinded' else 'datamanager' end) then
        raise exception 'a data manager asks for a redaction' using errcode = 'insufficient_privilege', constraint = 'redaction_asked';
    end if;
    execute format('select coalesce(max(number), 0) from public.%I', tg_table_name) into last;
    if new.state <> 'asked' or new.decided_by <> '' or new.decided_at is not null or new.number <> last + 1 then
        raise exception 'a redaction begins as a question, with the next number' using errcode = 'check_violation', constraint = 'redaction_begins';
    end if;
    execute format(
        'select exists (select 1 from public.%I h where h.id = $1 and h.table_name = $2 and h.row_id = $3 and h.site is not distinct from $4)',
        case when behind then 'unblinded_history' else 'core_history' end
    ) into of_line using new.history_row, new.table_name, new.row_id, new.site;
    if not of_line or not (
        case when behind then public.equipoise_redactable_behind(new.table_name, new.field) else public.equipoise_redactable(new.table_name, new.field) end
    ) then
        raise exception 'a redaction is about a typed field of a line of the history' using errcode = 'check_violation', constraint = 'redaction_about';
    end if;
    return new;
end $$;

-- Whether this change of a record behind the wall is the one that a redaction makes at this moment: decided, its lines not changed yet. What
-- refuses changes lets it pass. (There triggers cannot be switched off as on the open side: the blinded login reads when the catalogue changed,
-- and would wait at a drop box.)
create or replace function equipoise_redacts(changed text, before jsonb, after jsonb) returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
    select exists (
        select 1 from public.unblinded_redaction r
        where r.state = 'done' and r.table_name = changed and r.row_id = before ->> 'id'
          and after = jsonb_set(before, array[r.field], to_jsonb(format('[redacted %s]', r.number)), false)
          and not exists (select 1 from public.unblinded_redactedline l where l.redaction_id = r.id)
    )
$$;

-- The investigator, who is another person, decides; behind the wall the independent statistician. Carried out: the text is replaced by a mark
-- in every line of the history that holds it and in the record. The chain stands, since it hashes digests: each line's digest stays in its
-- seal, and the line gets a new salt, so that nobody can try out texts against it. The history does not see the record change, or the text
-- would be written down once more.
create or replace function equipoise_decide_redaction(wanted uuid, carry_out boolean) returns void
language plpgsql security definer set search_path = pg_catalog, public set timezone = 'UTC' as $$
declare
    behind boolean := public.equipoise_login_side() = 'unblinded';
    source text := case when behind then 'unblinded_history' else 'core_history' end;
    questions text := case when behind then 'unblinded_redaction' else 'core_redaction' end;
    me text := coalesce(current_setting('equipoise.actor', true), '');
    asked record;
    line record;
    sealed bigint;
    mark text;
    typed text;
begin
    execute format('select * from public.%I where id = $1 for update', questions) into asked using wanted;
    if asked.id is null or asked.state <> 'asked' then
        raise exception 'there is no such question' using errcode = 'check_violation', constraint = 'redaction_open';
    end if;
    if asked.asked_by = me or not public.equipoise_holds_role(me, case when behind then 'independent' else 'investigator' end) then
        raise exception '%, another person, decides on a redaction', case when behind then 'the independent statistician' else 'the investigator' end
            using errcode = 'insufficient_privilege', constraint = 'redaction_second_person';
    end if;
    execute format('update public.%I set state = $1, decided_by = $2, decided_at = public.equipoise_now() where id = $3', questions)
        using case when carry_out then 'done' else 'refused' end, me, wanted;
    if not carry_out then
        return;
    end if;
    perform public.equipoise_seal(case when behind then 'unblinded' else 'open' end);
    execute format('select coalesce(max(last_row), 0) from public.%I', source || '_seal') into sealed;
    mark := format('[redacted %s]', asked.number);
    execute format('select * from public.%I where id = $1', source) into line using asked.history_row;
    if asked.field = 'change_reason' then
        typed := line.reason;
    else
        typed := coalesce(nullif(line.new ->> asked.field, ''), nullif(line.old ->> asked.field, ''));
        if typed is null then
            execute format('select %I from public.%I where id::text = $1', asked.field, asked.table_name) into typed using asked.row_id;
        end if;
    end if;
    if coalesce(typed, '') = '' or typed like '[redacted %]' then
        raise exception 'there is nothing to redact' using errcode = 'check_violation', constraint = 'redaction_nothing';
    end if;
    perform public.equipoise_redact_record(asked.table_name, asked.row_id, asked.field, typed, mark, behind);
    for line in execute format(
        'select * from public.%I h where h.table_name = $1 and h.row_id = $2 and $3 in (h.old ->> $4, h.new ->> $4)'
        ' or $5 and h.reason = $3 and h.actor = $6 and h.action = $7 order by h.id for update', source
    ) using asked.table_name, asked.row_id, typed, asked.field, behind, line.actor, line.action
    loop
        if line.id > sealed then
            raise exception 'this line is not sealed yet' using errcode = 'check_violation', constraint = 'redaction_unsealed';
        end if;
        if line.old ->> asked.field = typed then
            line.old := jsonb_set(line.old, array[asked.field], to_jsonb(mark));
        end if;
        if line.new ->> asked.field = typed then
            line.new := jsonb_set(line.new, array[asked.field], to_jsonb(mark));
        end if;
        if behind and line.reason = typed then
            line.reason := mark;
        end if;
        line.salt := public.equipoise_salt(concat_ws(' ', 'redacted', asked.number, line.id));
        execute format('update public.%I set old = $1, new = $2, reason = $3, salt = $4 where id = $5', source)
            using line.old, line.new, line.reason, line.salt, line.id;
        execute format(
            'insert into public.%I(id, redaction_id, history_row, site, digest) values ($1, $2, $3, $4, $5)',
            case when behind then 'unblinded_redactedline' else 'core_redactedline' end
        ) using md5(asked.id::text || line.id)::uuid, asked.id, line.id, asked.site,
                encode(sha256(convert_to(public.equipoise_history_text(to_jsonb(line)), 'UTF8')), 'hex');
    end loop;
    if behind and not found then
        raise exception 'no line holds this text' using errcode = 'check_violation', constraint = 'redaction_nothing';
    end if;
end $$;

-- The record loses the text too, although it may be one that is only ever added to; a reason of a change stands in no record.
create or replace function equipoise_redact_record(changed text, row_key text, field text, typed text, mark text, behind boolean) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if field = 'change_reason' then
        return;
    end if;
    if not behind then
        execute format('alter table public.%I disable trigger user', changed);
    end if;
    execute format('update public.%I set %I = $1 where id::text = $2 and %I = $3', changed, field, field) using mark, row_key, typed;
    if not behind then
        execute format('alter table public.%I enable trigger user', changed);
    end if;
end $$;

-- Rows that are only ever added: consent, allocation, visit status, releases.
create or replace function equipoise_append_only() returns trigger
language plpgsql set search_path = pg_catalog, public as $$
begin
    if tg_op = 'UPDATE' and (tg_table_name like 'unblinded\_%' or tg_table_name like 'dropbox\_%') then
        if public.equipoise_redacts(tg_table_name, to_jsonb(old), to_jsonb(new)) then
            return new;
        end if;
    end if;
    raise exception '% is append-only: a row is added, never changed or removed', tg_table_name using errcode = 'check_violation';
end $$;

-- The blinded login touches the credentials of people of the open side only: neither of somebody who works on another side, nor of an
-- account that has no role yet and may get one there.
create or replace function equipoise_guard_credentials() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if public.equipoise_login_side() = 'default' and (
        exists (
            select 1 from public.core_membership m join public.core_rolesiderow r on r.role = m.role
            where m.user_id = old.id and r.side <> 'open'
        ) or not exists (
            select 1 from public.core_membership m join public.core_rolesiderow r on r.role = m.role
            where m.user_id = old.id and r.side = 'open' and m.confirmed_at is not null and m.ended_at is null
        )
    ) then
        raise exception 'the open side does not change accounts of the unblinded side' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;

-- The stored password of somebody of the open side, for that side's form. Nobody's who works, or may be given work, on another side: whoever
-- had it could guess at leisure.
create or replace function equipoise_password(who uuid) returns text
language sql stable security definer set search_path = pg_catalog, public as $$
    select u.password from public.core_user u
    where u.id = who and exists (
        select 1 from public.core_membership m join public.core_rolesiderow r on r.role = m.role where m.user_id = u.id and r.side = 'open'
    ) and not exists (
        select 1 from public.core_membership m join public.core_rolesiderow r on r.role = m.role where m.user_id = u.id and r.side <> 'open'
    )
$$;

-- A token of a side is for somebody who works there, and is in force when it is made.
create or replace function equipoise_guard_token() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (
        select 1 from public.core_membership m join public.core_rolesiderow r on r.role = m.role
        where m.user_id = new.user_id and m.confirmed_at is not null and m.ended_at is null
          and (r.side = 'open') = (tg_table_name = 'tokens_token')
    ) then
        raise exception 'a token is made on the side of its person' using errcode = 'insufficient_privilege', constraint = 'token_side';
    end if;
    if new.revoked_at is not null or new.last_used_at is not null then
        raise exception 'a new token has no past' using errcode = 'check_violation', constraint = 'token_new';
    end if;
    return new;
end $$;

-- Nobody holds roles of both sides, and who has held an unblinded role gets no blind one; some roles exclude each other; a role of another
-- side comes into force only for an account whose password the open side cannot have set; two administrators always remain.
create or replace function equipoise_guard_membership() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    wanted text := (select side from public.core_rolesiderow where role = new.role);
    other text[] := (select string_to_array(excludes, ',') from public.core_rolesiderow where role = new.role);
    secret text;
begin
    if wanted is null then
        raise exception 'no such role: %', new.role using errcode = 'check_violation';
    end if;
    if new.ended_at is not null then
        if tg_op = 'UPDATE' and new.role = 'admin' and old.ended_at is null and old.confirmed_at is not null then
            perform 1 from public.core_membership where role = 'admin' and ended_at is null order by id for update;
            if (select count(distinct user_id) from public.core_membership
                where role = 'admin' and confirmed_at is not null and ended_at is null and id <> new.id) < 2 then
                raise exception 'a trial keeps two administrators' using errcode = 'check_violation', constraint = 'core_membership_two_administrators';
            end if;
        end if;
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
    -- 7305134: the protocol in force says where the coordinator sees allocations; it does not change meanwhile
    perform pg_advisory_xact_lock_shared(7305134);
    if new.role in ('coordinator', 'coordinator_unblinded') and public.equipoise_sees_allocation(new.site) <> (new.role = 'coordinator_unblinded') then
        raise exception 'the protocol says on which side the coordinator of this site works' using errcode = 'check_violation', constraint = 'core_membership_elsewhere';
    end if;
    if exists (select 1 from public.core_membership m where m.user_id = new.user_id and m.id <> new.id and m.ended_at is null and m.role = any (other)) then
        raise exception 'these two roles exclude each other' using errcode = 'check_violation', constraint = 'core_membership_excludes';
    end if;
    if wanted <> 'open' and new.confirmed_at is not null and (tg_op = 'INSERT' or old.confirmed_at is null) then
        select password into secret from public.core_user where id = new.user_id;
        if secret not like '!%' and exists (
            select 1 from public.core_membership m join public.core_rolesiderow r on r.role = m.role where m.user_id = new.user_id and r.side = 'open'
        ) then
            raise exception 'the open side could have set this password' using errcode = 'check_violation', constraint = 'core_membership_fresh_password';
        end if;
    end if;
    return new;
end $$;

-- A site with one person: its coordinator sees the allocations, and works on the unblinded side. A setting of the protocol.
create or replace function equipoise_sees_allocation(wanted text) returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
    select coalesce(bool_or((s ->> 'coordinator_sees_allocation')::boolean), false)
    from (select document from public.protocol_protocolversion order by number desc limit 1) v, jsonb_array_elements(v.document -> 'sites') s
    where s ->> 'code' = wanted
$$;

-- The unblinded side writes the way in at such sites alone, and of nobody who has an arm already.
create or replace function equipoise_guard_way_in() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    row jsonb := to_jsonb(new);
begin
    if public.equipoise_login_side() <> 'unblinded' then
        return new;
    end if;
    if not public.equipoise_sees_allocation(row ->> 'site_id') then
        raise exception 'the coordinator of this site works on the open side' using errcode = 'insufficient_privilege', constraint = 'way_in_site';
    end if;
    if tg_table_name = 'participants_participant' and tg_op = 'UPDATE' then
        raise exception 'the unblinded side may hold a participant, never change one' using errcode = 'insufficient_privilege', constraint = 'way_in_participant';
    end if;
    if exists (
        select 1 from public.participants_participant p
        where p.screening_id = (case tg_table_name when 'participants_consent' then row ->> 'screening_id' when 'participants_screeningentry' then row ->> 'id' end)::uuid
          and p.randomized_at is not null
    ) then
        raise exception 'this person has an arm: the unblinded side writes nothing of them' using errcode = 'insufficient_privilege', constraint = 'way_in_randomized';
    end if;
    if coalesce(row ->> 'recorded_by', row ->> 'requested_by', 'site staff') <> 'site staff' then
        raise exception 'on the unblinded side the author of an open row is site staff' using errcode = 'insufficient_privilege', constraint = 'way_in_author';
    end if;
    return new;
end $$;

-- No new version of the protocol leaves a coordinator on the wrong side of the wall.
create or replace function equipoise_guard_protocol() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    perform pg_advisory_xact_lock(7305134);
    if exists (
        select 1 from public.core_membership m
        where m.ended_at is null and m.role in ('coordinator', 'coordinator_unblinded') and (m.role = 'coordinator_unblinded') <> exists (
            select 1 from jsonb_array_elements(new.document -> 'sites') s
            where s ->> 'code' = m.site and (s ->> 'coordinator_sees_allocation')::boolean
        )
    ) then
        raise exception 'a coordinator would be on the wrong side of the wall: end the role first' using errcode = 'check_violation', constraint = 'protocol_coordinators';
    end if;
    return new;
end $$;

-- After the database lock no trial datum of the open side changes any more, by whichever login. Whoever writes shares a lock that the
-- database lock takes alone: it comes after every write that had begun. Only a request that nobody can answer any more may still be refused.
create or replace function equipoise_guard_lock() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    -- tables behind the wall have a lock of their own, for which the open side waits in no other case than the database lock
    perform pg_advisory_xact_lock_shared(case when tg_table_name like 'unblinded\_%' then 7305135 else 7305133 end);
    if exists (select 1 from public.participants_databaselock) then
        if tg_table_name = 'participants_randomizationrequest' and tg_op = 'UPDATE' then
            if old.state = 'waiting' and new.state = 'refused' then
                return new;
            end if;
        end if;
        if tg_table_name like 'unblinded\_%' and tg_op = 'UPDATE' then
            if public.equipoise_redacts(tg_table_name, to_jsonb(old), to_jsonb(new)) then
                return new;
            end if;
        end if;
        raise exception 'the database is locked: % does not change any more', tg_table_name using errcode = 'check_violation', constraint = 'database_locked';
    end if;
    return coalesce(new, old);
end $$;

create or replace function equipoise_guard_locking() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    perform pg_advisory_xact_lock(7305133);
    if exists (select 1 from public.participants_randomizationrequest where state = 'waiting') then
        raise exception 'a randomization waits for its answer' using errcode = 'check_violation', constraint = 'lock_after_answers';
    end if;
    if (select jsonb_typeof(document -> 'records') from public.protocol_protocolversion order by number desc limit 1) = 'object'
       and exists (select 1 from public.participants_participant where randomized_at is not null)
       and not exists (
           select 1 from public.participants_recordsstate
           where complete and people = (select count(*) from public.participants_participant where randomized_at is not null)
       ) then
        raise exception 'hospital records have not all been looked up' using errcode = 'check_violation', constraint = 'lock_after_records';
    end if;
    -- last, when everything else is in order: what waits here waits for the unblinded side
    perform pg_advisory_xact_lock(7305135);
    return new;
end $$;

-- A snapshot says truly whether it was made of the locked database.
create or replace function equipoise_guard_plan() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.number <> coalesce((select max(v.number) from public.plans_planversion v), 0) + 1 then
        raise exception 'versions of the plan are numbered without a gap' using errcode = 'check_violation', constraint = 'plan_number';
    end if;
    return new;
end $$;

-- A version is signed while it is in force, by two people.
create or replace function equipoise_guard_plan_signature() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.plan_id is distinct from (select v.id from public.plans_planversion v order by v.number desc limit 1) then
        raise exception 'the version in force is signed' using errcode = 'check_violation', constraint = 'plan_in_force';
    end if;
    if exists (select 1 from public.plans_plansignature s where s.plan_id = new.plan_id and s.signed_by = new.signed_by) then
        raise exception 'one person signs in one capacity' using errcode = 'check_violation', constraint = 'plan_two_people';
    end if;
    return new;
end $$;

-- The looks of the version in force are countersigned behind the wall.
create or replace function equipoise_guard_looks_signature() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.plan_id is distinct from (select v.id from public.plans_planversion v order by v.number desc limit 1) then
        raise exception 'the version in force is signed' using errcode = 'check_violation', constraint = 'plan_in_force';
    end if;
    return new;
end $$;

create or replace function equipoise_guard_snapshot() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.after_lock <> exists (select 1 from public.participants_databaselock) then
        raise exception 'a snapshot is after the lock exactly if the database is locked' using errcode = 'check_violation', constraint = 'snapshot_after_lock';
    end if;
    return new;
end $$;

-- A lifecycle: arguments are its column, and the allowed steps "from>to".
create or replace function equipoise_states() returns trigger
language plpgsql set search_path = pg_catalog, public as $$
declare
    before text := to_jsonb(old) ->> tg_argv[0];
    after text := to_jsonb(new) ->> tg_argv[0];
begin
    if before is distinct from after and not (before || '>' || after = any (tg_argv[1:])) then
        raise exception '% does not go from % to %', tg_table_name, before, after using errcode = 'check_violation', constraint = 'lifecycle';
    end if;
    return new;
end $$;

-- A row and the row it refers to are of the same site, or the row policy would follow the wrong one. Arguments: own site column; then triples of
-- foreign-key column, table, and its site column. A reference that is not given is of no site.
create or replace function equipoise_same_site() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    mine text := to_jsonb(new) ->> tg_argv[0];
    theirs text;
begin
    for i in 0 .. (tg_nargs - 1) / 3 - 1 loop
        continue when to_jsonb(new) ->> tg_argv[1 + 3 * i] is null;
        execute format('select %I::text from public.%I where %I::text = $1', tg_argv[3 + 3 * i], tg_argv[2 + 3 * i],
                       case when tg_argv[2 + 3 * i] in ('protocol_team', 'protocol_site') then 'code' else 'id' end)
            into theirs using to_jsonb(new) ->> tg_argv[1 + 3 * i];
        if theirs is distinct from mine then
            raise exception '% and the row it refers to are of different sites', tg_table_name using errcode = 'check_violation', constraint = 'same_site';
        end if;
    end loop;
    return new;
end $$;

-- A run begins waiting; how it ended is final.
create or replace function equipoise_guard_run() returns trigger
language plpgsql set search_path = pg_catalog, public as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'queued' then
            raise exception 'a run begins waiting' using errcode = 'check_violation', constraint = 'run_begins_queued';
        end if;
    elsif old.state in ('succeeded', 'failed', 'cancelled') then
        raise exception 'a run that has ended does not change' using errcode = 'check_violation', constraint = 'run_is_final';
    end if;
    return new;
end $$;

-- A part of a run begins waiting, and is taken up while its run is at work; how it ended is final.
create or replace function equipoise_guard_part() returns trigger
language plpgsql set search_path = pg_catalog, public as $$
declare
    run_state text;
begin
    if tg_op = 'INSERT' then
        if new.state <> 'queued' then
            raise exception 'a part begins waiting' using errcode = 'check_violation', constraint = 'part_begins_queued';
        end if;
    elsif old.state in ('succeeded', 'failed', 'cancelled') then
        raise exception 'a part that has ended does not change' using errcode = 'check_violation', constraint = 'part_is_final';
    end if;
    if tg_op = 'INSERT' or (new.state = 'running' and old.state <> 'running') then
        if tg_table_name = 'pooled_pooledpart' then
            select state into run_state from public.pooled_pooledrun where id = new.run_id;
        else
            select state into run_state from public.unblinded_comparative_run where id = new.run_id;
        end if;
        if run_state is distinct from 'running' then
            raise exception 'a part is computed while its run is' using errcode = 'check_violation', constraint = 'part_of_running';
        end if;
    end if;
    return new;
end $$;

-- Randomized and allocated are one: checked when the transaction ends, on both sides of the wall.
create or replace function equipoise_guard_allocated() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    person uuid := (to_jsonb(new) ->> case when tg_table_name = 'unblinded_allocation' then 'participant_id' else 'id' end)::uuid;
begin
    if exists (select 1 from public.participants_participant where id = person and randomized_at is not null)
       <> exists (select 1 from public.unblinded_allocation where participant_id = person) then
        raise exception 'a participant is randomized exactly if there is an allocation' using errcode = 'check_violation', constraint = 'randomized_iff_allocated';
    end if;
    return null;
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
    if tg_op = 'INSERT' and not exists (
        select 1 from (
            select distinct on (c.part) c.given from public.participants_consent c
            where c.screening_id = person.screening_id order by c.part, c.recorded_at desc
        ) latest where latest.given
    ) then
        raise exception 'a request to randomize needs a consent' using errcode = 'check_violation', constraint = 'request_consent';
    end if;
    if new.state = 'done' and person.randomized_at is null then
        raise exception 'a request is done when the participant has been randomized' using errcode = 'check_violation', constraint = 'request_done';
    end if;
    if tg_op = 'INSERT' and new.state <> 'waiting' then
        raise exception 'a request begins waiting' using errcode = 'check_violation', constraint = 'request_begins_waiting';
    end if;
    return new;
end $$;

-- An allocation answers a waiting request, in its turn, from a slot of the sealed sequence, or from the place that minimization drew; and
-- where a contingency slot was let go for this person, from that one and no other.
create or replace function equipoise_guard_allocation() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    q public.concealed_sequence;
    let_go public.unblinded_contingency_release;
begin
    perform public.equipoise_take_turn('allocation of ' || new.participant_id);
    if not exists (select 1 from public.participants_randomizationrequest r where r.participant_id = new.participant_id and r.state = 'waiting') then
        raise exception 'an allocation answers a waiting request' using errcode = 'check_violation', constraint = 'allocation_requested';
    end if;
    select * into q from public.concealed_sequence where version = new.sequence_version;
    if not exists (
        select 1 from public.concealed_slot s
        where s.sequence_id = q.id and s.stratum = new.slot_stratum and s.position = new.position and s.arm = new.arm
    ) and not exists (
        select 1 from public.concealed_draw d where d.sequence_id = q.id and d.number = new.position and d.arm = new.arm and d.levels = new.levels
    ) then
        raise exception 'an allocation comes from a slot of the sealed sequence' using errcode = 'check_violation', constraint = 'allocation_from_slot';
    end if;
    if new.number <> (select coalesce(max(number), 0) + 1 from public.unblinded_allocation) then
        raise exception 'allocations are numbered in turn' using errcode = 'check_violation', constraint = 'allocation_in_turn';
    end if;
    select * into let_go from public.unblinded_contingency_release where participant_id = new.participant_id;
    if (q.purpose = 'contingency') <> (let_go.id is not null) or (let_go.id is not null and (
        let_go.sequence_version, let_go.slot_stratum, let_go.position, let_go.arm
    ) is distinct from (new.sequence_version, new.slot_stratum, new.position, new.arm)) then
        raise exception 'a contingency slot belongs to the person for whom it was let go' using errcode = 'check_violation', constraint = 'allocation_contingency';
    end if;
    if q.purpose = 'main' and new.slot_stratum <> new.stratum then
        raise exception 'a slot belongs to its stratum' using errcode = 'check_violation', constraint = 'allocation_own_stratum';
    end if;
    return new;
end $$;

-- A share of the seed names its own author, who works where nobody recruits, and its receipt; none comes after a sequence was sealed.
create or replace function equipoise_guard_seed_share() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.contributor <> coalesce(current_setting('equipoise.actor', true), '') then
        raise exception 'a share names its own author' using errcode = 'check_violation', constraint = 'seed_share_author';
    end if;
    if new.contributor not like 'system:%' and not exists (
        select 1 from public.core_membership m where m.user_id::text = new.contributor
          and m.role in ('independent', 'datamanager_unblinded') and m.confirmed_at is not null and m.ended_at is null
    ) then
        raise exception 'a share comes from somebody who does not recruit' using errcode = 'check_violation', constraint = 'seed_share_role';
    end if;
    if new.receipt <> encode(sha256(decode(new.share, 'hex')), 'hex') then
        raise exception 'the receipt is the digest of the share' using errcode = 'check_violation', constraint = 'seed_share_receipt';
    end if;
    perform public.equipoise_take_turn('seed');
    if exists (select 1 from public.concealed_sequence where origin = 'sealed') then
        raise exception 'a sequence has been sealed: no share comes after it' using errcode = 'check_violation', constraint = 'seed_share_late';
    end if;
    return new;
end $$;

-- A sealed sequence stands on the shares of two people at least, in the order in which they came, and on no other; and on a salt of its own.
-- The main one is not replaced once somebody was randomized from it.
create or replace function equipoise_guard_sequence() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    perform public.equipoise_take_turn('seed');
    if new.commitment = '' or new.salt !~ '^[0-9a-f]{64}$' then
        raise exception 'a sequence is sealed with a salt and a commitment' using errcode = 'check_violation', constraint = 'sequence_committed';
    end if;
    if new.origin = 'sealed' and (
        (select count(*) from public.dropbox_seed_share) < 2
        or new.shares <> (select jsonb_agg(share order by at, id) from public.dropbox_seed_share)
    ) then
        raise exception 'the seed comes from two people' using errcode = 'check_violation', constraint = 'sequence_two_people';
    end if;
    if new.purpose = 'main' and exists (select 1 from public.unblinded_allocation) then
        raise exception 'somebody has been randomized: the sequence in use is not replaced' using errcode = 'check_violation', constraint = 'sequence_in_use';
    end if;
    if new.purpose = 'contingency' and exists (
        select 1 from public.concealed_sequence q join public.unblinded_contingency_release l on l.sequence_version = q.version
        where q.purpose = 'contingency' and q.for_site = new.for_site
    ) then
        raise exception 'a contingency slot of this site was let go: its sequence is not replaced' using errcode = 'check_violation', constraint = 'sequence_in_use';
    end if;
    return new;
end $$;

-- What is public of a sequence is its own commitment.
create or replace function equipoise_guard_commitment() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (
        select 1 from public.concealed_sequence q where q.version = new.version and q.commitment = new.sha256
          and q.purpose = new.purpose and q.for_site = new.for_site
    ) then
        raise exception 'a commitment is that of its sequence' using errcode = 'check_violation', constraint = 'commitment_of_sequence';
    end if;
    return new;
end $$;

-- Nothing of a sequence is revealed, or ordered to be, before planned unblinding.
create or replace function equipoise_guard_reveal() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (select 1 from public.unblinded_planned_unblinding) then
        raise exception 'nothing is revealed before planned unblinding' using errcode = 'check_violation', constraint = 'reveal_after_unblinding';
    end if;
    if to_jsonb(new) ->> 'ordered_by' <> coalesce(current_setting('equipoise.actor', true), '') then
        raise exception 'an order names its own author' using errcode = 'check_violation', constraint = 'verification_author';
    end if;
    return new;
end $$;

-- An error of randomization is of somebody who was randomized, of the same site, in turn; only what was recorded is taken back. What it
-- names is there: another stratum than the one as randomized, another participant.
create or replace function equipoise_guard_randomization_error() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    person public.participants_participant;
    last public.participants_randomizationerror;
begin
    select * into person from public.participants_participant where id = new.participant_id;
    if person.randomized_at is null or person.site_id <> new.site_id then
        raise exception 'an error of randomization is of somebody who was randomized' using errcode = 'check_violation', constraint = 'error_of_randomized';
    end if;
    if new.number <> (select coalesce(max(number), 0) + 1 from public.participants_randomizationerror where participant_id = new.participant_id) then
        raise exception 'errors of one participant are numbered in turn' using errcode = 'check_violation', constraint = 'error_in_turn';
    end if;
    if new.day > (new.recorded_at at time zone 'UTC')::date + 1 then
        raise exception 'an error was found in the past' using errcode = 'check_violation', constraint = 'error_past';
    end if;
    select * into last from public.participants_randomizationerror
    where participant_id = new.participant_id and kind = new.kind order by number desc limit 1;
    if new.void and (last.id is null or last.void) then
        raise exception 'only an error that was recorded is taken back' using errcode = 'check_violation', constraint = 'error_void';
    end if;
    if new.kind = 'wrong_stratum' and new.corrected_stratum = person.stratum then
        raise exception 'the corrected stratum is another one than as randomized' using errcode = 'check_violation', constraint = 'error_stratum';
    end if;
    if new.kind = 'duplicate' and (new.other_number = person.number
        or not exists (select 1 from public.participants_participant p where p.number = new.other_number)) then
        raise exception 'a duplicate is of another participant' using errcode = 'check_violation', constraint = 'error_other_number';
    end if;
    return new;
end $$;

-- The wrong treatment is another arm's than the allocated one, since the allocation; only what was recorded is taken back.
create or replace function equipoise_guard_wrong_treatment() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    a public.unblinded_allocation;
    last public.unblinded_wrong_treatment;
begin
    select * into a from public.unblinded_allocation where id = new.allocation_id;
    select * into last from public.unblinded_wrong_treatment where allocation_id = new.allocation_id order by number desc limit 1;
    if a.site is distinct from new.site or new.number <> coalesce(last.number, 0) + 1 then
        raise exception 'events of one allocation follow each other at its site' using errcode = 'check_violation', constraint = 'wrong_treatment_in_turn';
    end if;
    if new.given_arm = a.arm or not exists (
        select 1 from (select document from public.protocol_protocolversion order by number desc limit 1) v,
            jsonb_array_elements(v.document -> 'arms') arm where arm ->> 'code' = new.given_arm
    ) then
        raise exception 'the wrong treatment is that of another arm' using errcode = 'check_violation', constraint = 'wrong_treatment_arm';
    end if;
    if new.day < (a.allocated_at at time zone 'UTC')::date - 1 or new.day > (new.recorded_at at time zone 'UTC')::date + 1 then
        raise exception 'the wrong treatment was given since the allocation' using errcode = 'check_violation', constraint = 'wrong_treatment_day';
    end if;
    if new.void and (last.id is null or last.void) then
        raise exception 'only an event that was recorded is taken back' using errcode = 'check_violation', constraint = 'wrong_treatment_void';
    end if;
    return new;
end $$;

-- A contingency slot is asked for by the treatment coordinator of the site, for somebody whose request the allocator has left waiting.
create or replace function equipoise_guard_contingency_request() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.asked_by <> coalesce(current_setting('equipoise.actor', true), '') or not exists (
        select 1 from public.core_membership m where m.user_id::text = new.asked_by and m.role = 'treatment' and m.site in (new.site, '*')
          and m.confirmed_at is not null and m.ended_at is null
    ) then
        raise exception 'a contingency slot is asked for by the treatment coordinator of the site' using errcode = 'check_violation', constraint = 'contingency_asked';
    end if;
    if not exists (
        select 1 from public.participants_randomizationrequest r where r.participant_id = new.participant_id and r.site_id = new.site
          and r.state = 'waiting' and r.requested_at <= public.equipoise_now() - interval '15 minutes'
    ) then
        raise exception 'a contingency slot is for a request that has waited for 15 minutes' using errcode = 'check_violation', constraint = 'contingency_waited';
    end if;
    return new;
end $$;

-- The second person lets the slot go. Which slot it is, is filled in here: the next of the newest contingency sequence of the site. Nobody can
-- ask what it would be, and none is given twice.
create or replace function equipoise_guard_contingency_release() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    asked public.unblinded_contingency_request;
    q public.concealed_sequence;
    slot public.concealed_slot;
begin
    perform public.equipoise_take_turn('allocation of ' || new.participant_id);
    select * into asked from public.unblinded_contingency_request where id = new.request_id;
    if asked.participant_id is distinct from new.participant_id or asked.site is distinct from new.site then
        raise exception 'a release answers the request for this participant' using errcode = 'check_violation', constraint = 'contingency_answers';
    end if;
    if new.released_by = asked.asked_by or new.released_by <> coalesce(current_setting('equipoise.actor', true), '') or not exists (
        select 1 from public.core_membership m where m.user_id::text = new.released_by and m.role = 'independent'
          and m.confirmed_at is not null and m.ended_at is null
    ) then
        raise exception 'a contingency slot is let go by the independent statistician, another person' using errcode = 'check_violation', constraint = 'contingency_second_person';
    end if;
    if not exists (select 1 from public.participants_randomizationrequest r where r.participant_id = new.participant_id and r.state = 'waiting')
       or exists (select 1 from public.unblinded_allocation where participant_id = new.participant_id) then
        raise exception 'the allocator has answered meanwhile' using errcode = 'check_violation', constraint = 'contingency_answered';
    end if;
    perform public.equipoise_take_turn('contingency of ' || new.site);
    select * into q from public.concealed_sequence where purpose = 'contingency' and for_site = new.site order by version desc limit 1;
    select * into slot from public.concealed_slot s where s.sequence_id = q.id and s.position > coalesce((
        select max(l.position) from public.unblinded_contingency_release l where l.sequence_version = q.version
    ), 0) order by s.position limit 1;
    if slot.id is null then
        raise exception 'no contingency slot is left for this site' using errcode = 'check_violation', constraint = 'contingency_used_up';
    end if;
    new.sequence_version := q.version;
    new.slot_stratum := slot.stratum;
    new.position := slot.position;
    new.arm := slot.arm;
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
    if new.kind = 'recommendation' then
        -- the committee's word and its day, of a recommendation that the chair has sealed, and nothing else
        if new.title <> 'recommendation' or new.payload - 'recommendation' - 'day' <> '{}'::jsonb
            or coalesce(new.payload ->> 'day', '') !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' or not exists (
            select 1 from public.unblinded_recommendation r join public.unblinded_recommendation_signature s on s.recommendation_id = r.id
            where s.capacity = 'chair' and r.word = new.payload ->> 'recommendation'
        ) then
            raise exception 'a sealed recommendation passes the gate, by its word and its day alone' using errcode = 'check_violation', constraint = 'release_recommendation';
        end if;
        return new;
    end if;
    if not exists (select 1 from public.participants_databaselock) or not exists (select 1 from public.unblinded_planned_unblinding) then
        raise exception 'nothing passes the gate before lock and planned unblinding' using errcode = 'check_violation', constraint = 'release_gate';
    end if;
    return new;
end $$;

-- A code is broken by an investigator, in their own name, who assesses nobody; and explained by whoever broke it.
create or replace function equipoise_guard_code_break() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    me text := coalesce(current_setting('equipoise.actor', true), '');
    held text[] := array(
        select m.role from public.core_membership m
        where m.user_id::text = me and m.confirmed_at is not null and m.ended_at is null
    );
begin
    if new.broken_by <> me or not 'investigator' = any (held) or 'interviewer' = any (held) then
        raise exception 'a code is broken by an investigator, in their own name' using errcode = 'insufficient_privilege', constraint = 'code_break_investigator';
    end if;
    return new;
end $$;

create or replace function equipoise_guard_break_reason() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    me text := coalesce(current_setting('equipoise.actor', true), '');
begin
    if new.given_by <> me or not exists (select 1 from public.unblinded_code_break b where b.id = new.code_break_id and b.broken_by = me) then
        raise exception 'who broke the code says why' using errcode = 'insufficient_privilege', constraint = 'break_reason_own';
    end if;
    return new;
end $$;

-- A hand-over that the unblinded side orders: nobody is named, of somebody who was randomized, to an interviewer of the site, never the first.
create or replace function equipoise_guard_handover() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if public.equipoise_login_side() <> 'unblinded' then
        return new;
    end if;
    if new.assigned_by <> 'site staff' or new.number < 2 then
        raise exception 'a hand-over names nobody and follows an assignment' using errcode = 'insufficient_privilege', constraint = 'handover_unnamed';
    end if;
    if not exists (select 1 from public.participants_participant p where p.id = new.participant_id and p.randomized_at is not null) or not exists (
        select 1 from public.core_membership m
        where m.user_id = new.interviewer_id and m.role = 'interviewer' and m.site = new.site_id and m.confirmed_at is not null and m.ended_at is null
    ) then
        raise exception 'a hand-over goes to an interviewer of the site' using errcode = 'insufficient_privilege', constraint = 'handover_interviewer';
    end if;
    return new;
end $$;

-- A comparative run follows planned unblinding, or it is a look that was begun: before planned unblinding, one at a time, until it has a result.
create or replace function equipoise_guard_comparative() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    unblinded boolean := exists (select 1 from public.unblinded_planned_unblinding);
begin
    if not unblinded and new.kind <> 'look' then
        raise exception 'a comparative run follows planned unblinding' using errcode = 'check_violation', constraint = 'comparative_after_unblinding';
    end if;
    if 2 > (
        select count(*) from public.plans_plansignature s
        where s.plan_id = (select v.id from public.plans_planversion v order by v.number desc limit 1)
    ) then
        raise exception 'a comparative run follows a signed analysis plan' using errcode = 'check_violation', constraint = 'comparative_after_plan';
    end if;
    if new.kind = 'look' then
        if unblinded then
            raise exception 'a look comes before planned unblinding' using errcode = 'check_violation', constraint = 'look_before_unblinding';
        end if;
        if exists (select 1 from public.unblinded_look_result r where r.look_id = new.look_id)
            or exists (select 1 from public.unblinded_comparative_run c where c.kind = 'look' and c.state in ('queued', 'running', 'cancelling')) then
            raise exception 'one look runs at a time, until it has a result' using errcode = 'check_violation', constraint = 'look_in_turn';
        end if;
    end if;
    return new;
end $$;

-- A request for a look is its author's own, who sits in the committee; requests are numbered in turn.
create or replace function equipoise_guard_look_request() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    me text := coalesce(current_setting('equipoise.actor', true), '');
begin
    if new.requested_by <> me or not (public.equipoise_holds_role(me, 'dmc') or public.equipoise_holds_role(me, 'chair')) then
        raise exception 'a member of the committee asks for a look' using errcode = 'insufficient_privilege', constraint = 'look_request_author';
    end if;
    if new.number <> (select coalesce(max(r.number), 0) + 1 from public.unblinded_look_request r) then
        raise exception 'requests are numbered in turn' using errcode = 'check_violation', constraint = 'look_request_in_turn';
    end if;
    return new;
end $$;

-- A look is begun by the independent statistician under the version in force, countersigned where it plans looks: a planned one by its code,
-- another one by the request of somebody else.
create or replace function equipoise_guard_look() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    me text := coalesce(current_setting('equipoise.actor', true), '');
    planned jsonb;
begin
    if new.begun_by <> me or not public.equipoise_holds_role(me, 'independent') then
        raise exception 'the independent statistician begins a look' using errcode = 'insufficient_privilege', constraint = 'look_author';
    end if;
    if new.number <> (select coalesce(max(l.number), 0) + 1 from public.unblinded_look l) then
        raise exception 'looks are numbered in turn' using errcode = 'check_violation', constraint = 'look_number';
    end if;
    if new.plan_id is distinct from (select v.id from public.plans_planversion v order by v.number desc limit 1) then
        raise exception 'a look is held under the version in force' using errcode = 'check_violation', constraint = 'look_plan_in_force';
    end if;
    select v.document -> 'looks' into planned from public.plans_planversion v where v.id = new.plan_id;
    if jsonb_typeof(planned) = 'object' and not exists (select 1 from public.unblinded_looks_signature s where s.plan_id = new.plan_id) then
        raise exception 'the looks of the plan are countersigned first' using errcode = 'check_violation', constraint = 'look_countersigned';
    end if;
    if new.code <> '' and not coalesce(planned -> 'looks' @> jsonb_build_array(jsonb_build_object('code', new.code)), false) then
        raise exception 'the plan has no look of this code' using errcode = 'check_violation', constraint = 'look_planned';
    end if;
    if exists (select 1 from public.unblinded_look_request r where r.id = new.request_id and r.requested_by = new.begun_by) then
        raise exception 'who asked for a look does not begin it' using errcode = 'check_violation', constraint = 'look_two_people';
    end if;
    return new;
end $$;

-- The numbers of a look are kept in the moment in which its run succeeds: what is spent is never forgotten, and never taken back.
create or replace function equipoise_keep_look() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    found jsonb;
    before public.unblinded_look_result;
begin
    if new.kind <> 'look' or new.state <> 'succeeded' or old.state = 'succeeded' then
        return null;
    end if;
    found := new.result -> 'look';
    select * into before from public.unblinded_look_result r order by r.information desc limit 1;
    if (found ->> 'cumulative_alpha')::float8 < coalesce(before.alpha, 0) or (found ->> 'information')::float8 <= coalesce(before.information, 0) then
        raise exception 'a look has more information than the one before, and takes nothing back' using errcode = 'check_violation', constraint = 'look_spends';
    end if;
    insert into public.unblinded_look_result (id, look_id, run_id, information, fraction, z, bound, alpha, held_at) values (
        new.id, new.look_id, new.id, (found ->> 'information')::float8, (found ->> 'fraction')::float8, (found ->> 'z')::float8,
        (found ->> 'bound')::float8, (found ->> 'cumulative_alpha')::float8, new.finished_at
    );
    return null;
end $$;

-- A recommendation is of a look that has a result, in its author's own name, who sits in the committee; none follows the one that was sealed.
create or replace function equipoise_guard_recommendation() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    me text := coalesce(current_setting('equipoise.actor', true), '');
begin
    if new.written_by <> me or not (public.equipoise_holds_role(me, 'dmc') or public.equipoise_holds_role(me, 'chair')) then
        raise exception 'a member of the committee recommends' using errcode = 'insufficient_privilege', constraint = 'recommendation_author';
    end if;
    if not exists (select 1 from public.unblinded_look_result r where r.look_id = new.look_id) or exists (
        select 1 from public.unblinded_recommendation r join public.unblinded_recommendation_signature s on s.recommendation_id = r.id
        where r.look_id = new.look_id and s.capacity = 'chair'
    ) then
        raise exception 'a recommendation follows the result of a look, until one is sealed' using errcode = 'check_violation', constraint = 'recommendation_open';
    end if;
    if new.number <> (select coalesce(max(r.number), 0) + 1 from public.unblinded_recommendation r where r.look_id = new.look_id) then
        raise exception 'recommendations of one look follow each other' using errcode = 'check_violation', constraint = 'recommendation_number';
    end if;
    return new;
end $$;

-- Members sign the newest recommendation of a look; the chair, another person, signs after them, and nobody after the chair.
create or replace function equipoise_guard_recommendation_signature() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    me text := coalesce(current_setting('equipoise.actor', true), '');
begin
    if new.signed_by <> me or not public.equipoise_holds_role(me, case new.capacity when 'chair' then 'chair' else 'dmc' end) then
        raise exception 'a member of the committee signs, in their own name' using errcode = 'insufficient_privilege', constraint = 'recommendation_signer';
    end if;
    if new.recommendation_id is distinct from (
        select r.id from public.unblinded_recommendation r
        where r.look_id = (select o.look_id from public.unblinded_recommendation o where o.id = new.recommendation_id)
        order by r.number desc limit 1
    ) then
        raise exception 'the newest recommendation is signed' using errcode = 'check_violation', constraint = 'recommendation_newest';
    end if;
    if exists (select 1 from public.unblinded_recommendation_signature s where s.recommendation_id = new.recommendation_id and s.capacity = 'chair')
        or (new.capacity = 'chair' and not exists (
            select 1 from public.unblinded_recommendation_signature s where s.recommendation_id = new.recommendation_id and s.signed_by <> me
        )) then
        raise exception 'the chair signs last, after a member' using errcode = 'check_violation', constraint = 'recommendation_chair_last';
    end if;
    return new;
end $$;

-- A report is asked for in one's own name, and ends with a PDF that fits its digest.
create or replace function equipoise_guard_report() returns trigger
language plpgsql set search_path = pg_catalog, public as $$
begin
    if tg_op = 'INSERT' and new.created_by <> coalesce(current_setting('equipoise.actor', true), '') then
        raise exception 'a report is asked for in one''s own name' using errcode = 'insufficient_privilege', constraint = 'report_author';
    end if;
    if new.content is not null and new.content_sha256 <> encode(sha256(new.content), 'hex') then
        raise exception 'the digest is not of this PDF' using errcode = 'check_violation', constraint = 'report_digest';
    end if;
    return new;
end $$;

-- The independent statistician reports by arm: closed reports once it stands fixed how they name the arms, the final one after planned unblinding.
create or replace function equipoise_guard_closed_report() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not public.equipoise_holds_role(new.created_by, 'independent') then
        raise exception 'the independent statistician reports by arm' using errcode = 'insufficient_privilege', constraint = 'report_independent';
    end if;
    if new.kind = 'final' and not exists (select 1 from public.unblinded_planned_unblinding) then
        raise exception 'the final report follows planned unblinding' using errcode = 'check_violation', constraint = 'report_after_unblinding';
    end if;
    if new.kind = 'closed' and not exists (select 1 from public.unblinded_report_labels) then
        raise exception 'a closed report follows the choice of labels' using errcode = 'check_violation', constraint = 'report_after_labels';
    end if;
    return new;
end $$;

create or replace function equipoise_guard_report_labels() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.set_by <> coalesce(current_setting('equipoise.actor', true), '') or not public.equipoise_holds_role(new.set_by, 'independent') then
        raise exception 'the independent statistician sets the labels' using errcode = 'insufficient_privilege', constraint = 'report_labels_independent';
    end if;
    return new;
end $$;

-- --- the treatment side: groups, sessions, attendance, fidelity

-- The sessions plan, and a fidelity scale, of the protocol in force.
create or replace function equipoise_sessions_plan() returns jsonb
language sql stable security definer set search_path = pg_catalog, public as $$
    select document -> 'sessions' from public.protocol_protocolversion order by number desc limit 1
$$;

create or replace function equipoise_fidelity_scale(wanted text) returns jsonb
language sql stable security definer set search_path = pg_catalog, public as $$
    select s from (select document from public.protocol_protocolversion order by number desc limit 1) v,
        jsonb_array_elements(v.document -> 'fidelity') s
    where s ->> 'code' = wanted
$$;

-- Whether every item has a whole number of the scale's range; null for an optional item that does not apply; nothing else.
create or replace function equipoise_fidelity_complete(scale jsonb, scores jsonb) returns boolean
language sql immutable set search_path = pg_catalog, public as $$
    select (select count(*) from jsonb_object_keys(scores)) = jsonb_array_length(scale -> 'items') and not exists (
        select 1 from jsonb_array_elements(scale -> 'items') i cross join lateral (select scores -> (i ->> 'code') as value) v
        where case coalesce(jsonb_typeof(v.value), '')
            when 'number' then v.value::numeric not between (scale ->> 'min')::numeric and (scale ->> 'max')::numeric
                or v.value::numeric <> trunc(v.value::numeric)
            when 'null' then not (i ->> 'optional')::boolean
            else true end
    )
$$;

-- A group keeps its sessions and members within its time.
create or replace function equipoise_guard_group() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if exists (
        select 1 from public.unblinded_session s where s.group_id = new.id and (s.day < new.opened_on or s.day > new.closed_on)
    ) or exists (
        select 1 from public.unblinded_member m where m.group_id = new.id
          and (m.entered_on < new.opened_on or coalesce(m.left_on, 'infinity') > new.closed_on)
    ) then
        raise exception 'sessions and members lie within the time of their group' using errcode = 'check_violation', constraint = 'group_time';
    end if;
    return new;
end $$;

-- Trainers are therapists of the site, as many as the protocol says, and do not rate their own group.
create or replace function equipoise_guard_trainer() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.until is not null then
        return new;
    end if;
    perform 1 from public.unblinded_group where id = new.group_id for update;
    if not exists (select 1 from public.unblinded_group g where g.id = new.group_id and g.site = new.site) then
        raise exception 'a trainer is of the site of the group' using errcode = 'check_violation', constraint = 'trainer_site';
    end if;
    if not exists (
        select 1 from public.core_membership m where m.user_id = new.trainer_id and m.role = 'therapist' and m.site in (new.site, '*')
          and m.confirmed_at is not null and m.ended_at is null
    ) then
        raise exception 'a trainer is a therapist of the site' using errcode = 'check_violation', constraint = 'trainer_is_therapist';
    end if;
    if (select count(*) from public.unblinded_group_trainer t where t.group_id = new.group_id and t.until is null and t.id <> new.id)
        >= (public.equipoise_sessions_plan() ->> 'trainers')::int then
        raise exception 'a group has no more trainers than the protocol says' using errcode = 'check_violation', constraint = 'trainer_count';
    end if;
    if exists (select 1 from public.unblinded_fidelity_rating r where r.group_id = new.group_id and r.rater = new.trainer_id::text) then
        raise exception 'who rates a group does not train it' using errcode = 'check_violation', constraint = 'trainer_is_rater';
    end if;
    return new;
end $$;

-- A member is of the site of the group, within its time, in one group at a time; an arm without the program makes a deviation.
create or replace function equipoise_guard_member() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    g public.unblinded_group;
    a public.unblinded_allocation;
begin
    select * into g from public.unblinded_group where id = new.group_id;
    select * into a from public.unblinded_allocation where id = new.allocation_id;
    if g.site <> new.site or a.site <> new.site then
        raise exception 'member, group and allocation are of one site' using errcode = 'check_violation', constraint = 'member_site';
    end if;
    -- the day before is allowed for: the trial's days are those of its own time zone
    if new.entered_on < g.opened_on or coalesce(new.left_on, 'infinity') > g.closed_on or new.entered_on < (a.allocated_at - interval '1 day')::date then
        raise exception 'a member belongs to a group within its time' using errcode = 'check_violation', constraint = 'member_time';
    end if;
    if exists (
        select 1 from public.unblinded_member m where m.allocation_id = new.allocation_id and m.id <> new.id
          and new.entered_on < coalesce(m.left_on, 'infinity') and m.entered_on < coalesce(new.left_on, 'infinity')
    ) then
        raise exception 'nobody is a member of two groups at a time' using errcode = 'check_violation', constraint = 'member_overlap';
    end if;
    if tg_op = 'INSERT' and new.deviates <> not (public.equipoise_sessions_plan() -> 'arms' ? a.arm) then
        raise exception 'a deviation is a member whose arm is not offered the program' using errcode = 'check_violation', constraint = 'member_deviates';
    end if;
    if tg_op = 'UPDATE' and exists (
        select 1 from public.unblinded_attendance t join public.unblinded_session s on s.id = t.session_id
        where s.group_id = new.group_id and t.allocation_id = new.allocation_id and not t.guest
          and s.day between old.entered_on and coalesce(old.left_on, 'infinity')
          and s.day not between new.entered_on and coalesce(new.left_on, 'infinity')
    ) then
        raise exception 'attendance was recorded outside these days' using errcode = 'check_violation', constraint = 'member_attendance';
    end if;
    return new;
end $$;

-- A session lies within the time of its group; nobody attends a canceled one; members stay members when it moves.
create or replace function equipoise_guard_session() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if not exists (
        select 1 from public.unblinded_group g where g.id = new.group_id and g.site = new.site
          and new.day >= g.opened_on and new.day <= coalesce(g.closed_on, 'infinity')
    ) then
        raise exception 'a session lies within the time of its group' using errcode = 'check_violation', constraint = 'session_time';
    end if;
    if tg_op = 'UPDATE' and new.state = 'canceled' and exists (
        select 1 from public.unblinded_attendance t where t.session_id = new.id and t.mark <> 'not_offered'
    ) then
        raise exception 'nobody was asked to a canceled session' using errcode = 'check_violation', constraint = 'session_canceled';
    end if;
    if tg_op = 'UPDATE' and new.day <> old.day and exists (
        select 1 from public.unblinded_attendance t where t.session_id = new.id and t.guest = exists (
            select 1 from public.unblinded_member m where m.group_id = new.group_id and m.allocation_id = t.allocation_id
              and new.day between m.entered_on and coalesce(m.left_on, 'infinity')
        )
    ) then
        raise exception 'who was a member on the day of a session stays one when it moves' using errcode = 'check_violation', constraint = 'session_moved';
    end if;
    return new;
end $$;

-- Attendance belongs to a member of the session's group, or is marked as a guest's; nobody attends a canceled session.
create or replace function equipoise_guard_attendance() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    s public.unblinded_session;
    a public.unblinded_allocation;
    m public.unblinded_member;
begin
    select * into s from public.unblinded_session where id = new.session_id;
    select * into a from public.unblinded_allocation where id = new.allocation_id;
    if s.site <> new.site or a.site <> new.site then
        raise exception 'attendance, session and allocation are of one site' using errcode = 'check_violation', constraint = 'attendance_site';
    end if;
    if s.state <> 'held' and new.mark <> 'not_offered' then
        raise exception 'nobody attends a canceled session' using errcode = 'check_violation', constraint = 'attendance_canceled';
    end if;
    select * into m from public.unblinded_member x where x.group_id = s.group_id and x.allocation_id = new.allocation_id
        and s.day between x.entered_on and coalesce(x.left_on, 'infinity') limit 1;
    if new.guest = (m.id is not null) then
        raise exception 'attendance belongs to a member of the group, or is marked as a guest''s' using errcode = 'check_violation', constraint = 'attendance_guest';
    end if;
    if new.deviates <> coalesce(m.deviates, not (public.equipoise_sessions_plan() -> 'arms' ? a.arm)) then
        raise exception 'a deviation is attendance of an arm that is not offered the program' using errcode = 'check_violation', constraint = 'attendance_deviates';
    end if;
    return new;
end $$;

-- Raters are as many as the scale says, none of them trains the group; a signed rating is complete and closed.
create or replace function equipoise_guard_rating() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    scale jsonb := public.equipoise_fidelity_scale(new.scale);
begin
    perform 1 from public.unblinded_group where id = new.group_id for update;
    if tg_op = 'UPDATE' and old.signed_at is not null then
        raise exception 'a signed rating does not change' using errcode = 'check_violation', constraint = 'rating_signed';
    end if;
    if scale is null or not exists (select 1 from public.unblinded_group g where g.id = new.group_id and g.site = new.site) then
        raise exception 'a rating is of a scale of the protocol and of the site of the group' using errcode = 'check_violation', constraint = 'rating_scale';
    end if;
    if tg_op = 'INSERT' and (
        select count(*) from public.unblinded_fidelity_rating r where r.group_id = new.group_id and r.scale = new.scale
    ) >= (scale ->> 'raters')::int then
        raise exception 'a group has no more raters than the scale says' using errcode = 'check_violation', constraint = 'rating_count';
    end if;
    if exists (select 1 from public.unblinded_group_trainer t where t.group_id = new.group_id and t.trainer_id::text = new.rater) then
        raise exception 'nobody rates a group that they train' using errcode = 'check_violation', constraint = 'rating_own_group';
    end if;
    if tg_op = 'INSERT' and new.rater not like 'system:%' and not exists (
        select 1 from public.core_membership m where m.user_id::text = new.rater and m.role = 'fidelity' and m.confirmed_at is not null and m.ended_at is null
    ) then
        raise exception 'a rating is made by a fidelity rater' using errcode = 'check_violation', constraint = 'rating_rater';
    end if;
    if new.signed_at is not null and not public.equipoise_fidelity_complete(scale, new.scores) then
        raise exception 'a signed rating is complete' using errcode = 'check_violation', constraint = 'rating_complete';
    end if;
    return new;
end $$;

-- A consensus needs signed ratings of different people, keeps what they agree on, is reached by one of them, and scores as the scale says.
create or replace function equipoise_guard_consensus() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    scale jsonb := public.equipoise_fidelity_scale(new.scale);
    raters text[];
    mean numeric := (select round(avg(value::numeric), 4) from jsonb_each_text(new.scores) where value is not null);
begin
    select array_agg(distinct r.rater) into raters from public.unblinded_fidelity_rating r
    where r.group_id = new.group_id and r.scale = new.scale and r.site = new.site and r.signed_at is not null;
    if scale is null or coalesce(cardinality(raters), 0) < greatest(2, (scale ->> 'raters')::int) then
        raise exception 'a consensus needs signed ratings of different people' using errcode = 'check_violation', constraint = 'consensus_ratings';
    end if;
    if not new.reached_by = any (raters) then
        raise exception 'a consensus is reached by one of the raters' using errcode = 'check_violation', constraint = 'consensus_rater';
    end if;
    if not public.equipoise_fidelity_complete(scale, new.scores) or exists (
        select 1 from jsonb_each(new.scores) c where c.value <> all (
            select r.scores -> c.key from public.unblinded_fidelity_rating r where r.group_id = new.group_id and r.scale = new.scale
        ) and (
            select count(distinct r.scores -> c.key) from public.unblinded_fidelity_rating r where r.group_id = new.group_id and r.scale = new.scale
        ) = 1
    ) then
        raise exception 'a consensus is complete and keeps what the raters agree on' using errcode = 'check_violation', constraint = 'consensus_scores';
    end if;
    if new.score is distinct from mean or new.band is distinct from (
        select b ->> 'code' from jsonb_array_elements(scale -> 'bands') b where (b ->> 'minimum')::numeric <= mean order by (b ->> 'minimum')::numeric desc limit 1
    ) then
        raise exception 'score and band of a consensus follow from its items' using errcode = 'check_violation', constraint = 'consensus_score';
    end if;
    return new;
end $$;

-- The unblinded login writes an open table by declared actions only. Arguments: their names (trial.core.declassified).
create or replace function equipoise_declassified() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if public.equipoise_login_side() = 'unblinded' and not coalesce(current_setting('equipoise.action', true), '') = any (tg_argv) then
        raise exception 'the unblinded side writes % by the declared actions only', tg_table_name
            using errcode = 'insufficient_privilege', constraint = 'declassified';
    end if;
    return new;
end $$;

-- After the database lock a part of the consent can be withdrawn, for further use above all; it is never given any more.
create or replace function equipoise_guard_consent() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.given and exists (select 1 from public.participants_databaselock) then
        raise exception 'the database is locked: consent can be withdrawn, never given' using errcode = 'check_violation', constraint = 'database_locked';
    end if;
    return new;
end $$;

-- Transfers run forward in time and stay with the institution that included the participant.
create or replace function equipoise_guard_transfer() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    person public.participants_participant;
    last public.participants_transfer;
begin
    select * into person from public.participants_participant where id = new.participant_id;
    select * into last from public.participants_transfer where participant_id = new.participant_id order by number desc limit 1;
    if new.site_id is distinct from person.site_id then
        raise exception 'a transfer stays with the institution that included the participant' using errcode = 'check_violation', constraint = 'transfer_site';
    end if;
    if new.number <> coalesce(last.number, 0) + 1 or new.effective_on < last.effective_on
       or new.effective_on > (new.recorded_at at time zone 'UTC')::date + 1 then
        raise exception 'transfers run forward in time' using errcode = 'check_violation', constraint = 'transfer_forward';
    end if;
    return new;
end $$;

-- A death is reported by one person and confirmed or rejected by another. The true author of the unblinded side stands in its history.
create or replace function equipoise_guard_death() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    me text := coalesce(current_setting('equipoise.actor', true), '');
    last public.participants_death;
    reporter text;
begin
    select * into last from public.participants_death where participant_id = new.participant_id order by number desc limit 1;
    if new.recorded_by <> (case when public.equipoise_login_side() = 'unblinded' then 'site staff' else me end) then
        raise exception 'a step of a death names its own author' using errcode = 'check_violation', constraint = 'death_author';
    end if;
    if new.day > (new.recorded_at at time zone 'UTC')::date + 1 then
        raise exception 'a death lies in the past' using errcode = 'check_violation', constraint = 'death_past';
    end if;
    if new.number <> coalesce(last.number, 0) + 1 or not exists (
        select 1 from public.participants_participant p where p.id = new.participant_id and p.site_id = new.site_id
    ) then
        raise exception 'a step of a death follows the one before' using errcode = 'check_violation', constraint = 'death_in_turn';
    end if;
    if new.step = 'reported' then
        if last.step in ('reported', 'confirmed') then
            raise exception 'this death is reported already' using errcode = 'check_violation', constraint = 'death_in_turn';
        end if;
        return new;
    end if;
    if last.step is distinct from 'reported' then
        raise exception 'there is no report of death to decide on' using errcode = 'check_violation', constraint = 'death_in_turn';
    end if;
    reporter := last.recorded_by;
    if reporter = 'site staff' then
        select h.actor into reporter from public.unblinded_history h
        where h.table_name = 'participants_death' and h.row_id = last.id::text and h.operation = 'INSERT';
    end if;
    if reporter = me then
        raise exception 'another person decides on a report of death' using errcode = 'check_violation', constraint = 'death_second_person';
    end if;
    return new;
end $$;

-- Nobody is randomized whose death was reported.
create or replace function equipoise_guard_living() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if 'rejected' is distinct from coalesce((
        select d.step from public.participants_death d where d.participant_id = new.participant_id order by d.number desc limit 1
    ), 'rejected') then
        raise exception 'a death was reported for this participant' using errcode = 'check_violation', constraint = 'participant_died';
    end if;
    return new;
end $$;

-- A serious event began between the first consent and today; its rows follow each other. The unblinded side reports, and puts nothing right.
create or replace function equipoise_guard_serious_event() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    is_unblinded boolean := public.equipoise_login_side() = 'unblinded';
    me text := coalesce(current_setting('equipoise.actor', true), '');
    last public.participants_seriousevent;
    signed date;
begin
    if new.recorded_by <> (case when is_unblinded then 'site staff' else me end) then
        raise exception 'a serious event names its own author' using errcode = 'check_violation', constraint = 'event_author';
    end if;
    if is_unblinded and new.number <> 1 then
        raise exception 'what was reported is put right on the open side' using errcode = 'check_violation', constraint = 'event_declared';
    end if;
    select min(c.signed_on) into signed from public.participants_consent c
    join public.participants_participant p on p.screening_id = c.screening_id where p.id = new.participant_id and c.given;
    if new.began_on < coalesce(signed, 'infinity') or new.began_on > (public.equipoise_now() at time zone 'UTC')::date + 1 then
        raise exception 'a serious event began between the consent and today' using errcode = 'check_violation', constraint = 'event_day';
    end if;
    select * into last from public.participants_seriousevent
    where participant_id = new.participant_id and event = new.event order by number desc limit 1;
    if new.number <> coalesce(last.number, 0) + 1 or (new.number = 1 and new.event <> (
        select coalesce(max(event), 0) + 1 from public.participants_seriousevent where participant_id = new.participant_id
    )) then
        raise exception 'events of one participant, and their rows, follow each other' using errcode = 'check_violation', constraint = 'event_in_turn';
    end if;
    if last.void then
        raise exception 'a report that was taken back stays so' using errcode = 'check_violation', constraint = 'event_taken_back';
    end if;
    return new;
end $$;

-- A narrative is of an event of the person whose allocation it refers to, known by the key of its first row; narratives follow each other.
create or replace function equipoise_guard_event_narrative() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.written_by <> coalesce(current_setting('equipoise.actor', true), '') then
        raise exception 'a narrative names its own author' using errcode = 'check_violation', constraint = 'narrative_author';
    end if;
    if not exists (
        select 1 from public.participants_seriousevent e join public.unblinded_allocation a on a.participant_id = e.participant_id
        where e.id = new.event and e.number = 1 and a.id = new.allocation_id
    ) then
        raise exception 'a narrative is of a serious event of this person' using errcode = 'check_violation', constraint = 'narrative_of_event';
    end if;
    if new.number <> (select coalesce(max(number), 0) + 1 from public.unblinded_event_narrative where event = new.event) then
        raise exception 'narratives of one event follow each other' using errcode = 'check_violation', constraint = 'narrative_in_turn';
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
    if exists (select 1 from public.entry_amendedanswer a where a.amendment_id = new.id and a.site_id <> new.site_id) then
        raise exception 'an amendment and its answers are of different sites' using errcode = 'check_violation', constraint = 'amendment_site';
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

-- --- hospital records

-- The days of a window of one person, from the protocol in force; the trial's own days may lie a day beside, since these are of UTC.
create or replace function equipoise_records_period(which text, allocation uuid, out first_day date, out last_day date)
language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    protocol jsonb := (select document from public.protocol_protocolversion order by number desc limit 1);
    days int := (protocol -> 'records' ->> (which || '_days'))::int;
    visit jsonb := (
        select v from jsonb_array_elements(protocol -> 'visits') v where v ->> 'code' = protocol -> 'records' ->> (which || '_visit')
    );
    person public.participants_participant;
    pivot date;
begin
    select p.* into person from public.participants_participant p
    join public.unblinded_allocation a on a.participant_id = p.id where a.id = allocation;
    if (visit ->> 'is_baseline')::boolean then
        pivot := (person.baseline_completed_at at time zone 'UTC')::date;
    elsif visit ->> 'unit' = 'months' then
        pivot := ((person.randomized_at at time zone 'UTC')::date + make_interval(months => (visit ->> 'offset')::int))::date;
    else
        pivot := (person.randomized_at at time zone 'UTC')::date + (visit ->> 'offset')::int;
    end if;
    if days > 0 then
        first_day := case which when 'before' then pivot - days when 'after' then pivot end;
        last_day := first_day + days - 1;
    end if;
end $$;

-- Whether a person does not consent to records being looked up, or not any more; never where the consent form does not ask.
create or replace function equipoise_records_stopped(person uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, public as $$
    select exists (
        select 1 from (select document from public.protocol_protocolversion order by number desc limit 1) v,
            jsonb_array_elements(v.document -> 'consent_parts') c
        where c ->> 'code' = 'records'
    ) and not coalesce((
        select c.given from public.participants_consent c join public.participants_participant p on p.screening_id = c.screening_id
        where p.id = person and c.part = 'records' order by c.recorded_at desc, c.id desc limit 1
    ), false)
$$;

-- An admission is of the person's site and has a day in its window; none overlaps another by more than the day of a transfer; what replaces
-- another, or comes after the sign-off, says why.
create or replace function equipoise_guard_admission() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    period record;
    before public.unblinded_admission;
begin
    perform public.equipoise_take_turn('records ' || new.allocation_id);
    if not exists (select 1 from public.unblinded_allocation a where a.id = new.allocation_id and a.site = new.site) then
        raise exception 'an admission is of the site of its allocation' using errcode = 'check_violation', constraint = 'admission_site';
    end if;
    select * into period from public.equipoise_records_period(new."window", new.allocation_id);
    if period.first_day is null or new.admitted_on > period.last_day + 1 or coalesce(new.discharged_on, 'infinity') < period.first_day - 1
       or greatest(new.admitted_on, new.discharged_on) > (public.equipoise_now() at time zone 'UTC')::date + 1 then
        raise exception 'an admission has a day in its window, and none in the future' using errcode = 'check_violation', constraint = 'admission_window';
    end if;
    if public.equipoise_records_stopped((select a.participant_id from public.unblinded_allocation a where a.id = new.allocation_id)) then
        raise exception 'records are looked up with consent' using errcode = 'check_violation', constraint = 'admission_consent';
    end if;
    if new.replaces_id is not null then
        select * into before from public.unblinded_admission where id = new.replaces_id;
        if before.allocation_id <> new.allocation_id or before."window" <> new."window" or before.void then
            raise exception 'an admission replaces one of the same window' using errcode = 'check_violation', constraint = 'admission_replaces';
        end if;
    elsif new.reason = '' and exists (
        select 1 from public.unblinded_lookup l where l.allocation_id = new.allocation_id and l."window" = new."window"
    ) then
        raise exception 'an admission after the sign-off says why' using errcode = 'check_violation', constraint = 'admission_after_sign_off';
    end if;
    if not new.void and exists (
        select 1 from public.unblinded_admission o
        where o.allocation_id = new.allocation_id and o."window" = new."window" and not o.void and o.id is distinct from new.replaces_id
          and not exists (select 1 from public.unblinded_admission r where r.replaces_id = o.id)
          and ((o.admitted_on = new.admitted_on and o.discharged_on is not distinct from new.discharged_on) or (
              o.admitted_on < coalesce(new.discharged_on, 'infinity') and new.admitted_on < coalesce(o.discharged_on, 'infinity')))
    ) then
        raise exception 'admissions of one person do not overlap' using errcode = 'check_violation', constraint = 'admission_overlap';
    end if;
    return new;
end $$;

-- A window is signed off when its days have passed, with consent.
create or replace function equipoise_guard_lookup() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    period record;
    person uuid := (select a.participant_id from public.unblinded_allocation a where a.id = new.allocation_id and a.site = new.site);
begin
    perform public.equipoise_take_turn('records ' || new.allocation_id);
    if person is null then
        raise exception 'a look-up is of the site of its allocation' using errcode = 'check_violation', constraint = 'lookup_site';
    end if;
    select * into period from public.equipoise_records_period(new."window", new.allocation_id);
    if period.last_day is null or period.last_day - 1 >= (public.equipoise_now() at time zone 'UTC')::date then
        raise exception 'a window is signed off when its days have passed' using errcode = 'check_violation', constraint = 'lookup_window';
    end if;
    if public.equipoise_records_stopped(person) then
        raise exception 'records are looked up with consent' using errcode = 'check_violation', constraint = 'lookup_consent';
    end if;
    return new;
end $$;

-- The one fact about records is true: it covers everybody randomized; complete, no window of anybody living and consenting is open.
create or replace function equipoise_guard_records_state() returns trigger
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
    if new.people <> (select count(*) from public.participants_participant where randomized_at is not null) then
        raise exception 'the state of records covers everybody randomized' using errcode = 'check_violation', constraint = 'records_people';
    end if;
    if new.complete and exists (
        select 1 from public.unblinded_allocation a
        cross join unnest(array['before', 'after']) which
        cross join lateral public.equipoise_records_period(which, a.id) period
        where period.first_day is not null and not public.equipoise_records_stopped(a.participant_id)
          and not exists (select 1 from public.unblinded_lookup l where l.allocation_id = a.id and l."window" = which)
          and coalesce((
              select d.step from public.participants_death d where d.participant_id = a.participant_id order by d.number desc limit 1
          ), 'rejected') = 'rejected'
    ) then
        raise exception 'records are complete when every window has been looked up' using errcode = 'check_violation', constraint = 'records_complete';
    end if;
    return new;
end $$;
