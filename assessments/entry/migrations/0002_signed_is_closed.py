"""A signed form is closed: neither it nor its answers change, whoever asks. Scores are checked by the list of rights (append-only)."""

from django.db import migrations

FORWARD = """
create function entry_signed_form_is_closed() returns trigger
language plpgsql set search_path = pg_catalog, public as $$
begin
    if old.state = 'signed' then
        raise exception 'form % is signed and does not change', old.id
            using errcode = 'check_violation', constraint = 'entry_signed_form_is_closed';
    end if;
    return new;
end $$;

create trigger entry_signed_form_is_closed before update on entry_form
    for each row execute function entry_signed_form_is_closed();

create function entry_answer_of_open_form() returns trigger
language plpgsql set search_path = pg_catalog, public as $$
begin
    if exists (select 1 from public.entry_form f where f.id = new.form_id and f.state = 'signed') then
        raise exception 'form % is signed and its answers do not change', new.form_id
            using errcode = 'check_violation', constraint = 'entry_answer_of_open_form';
    end if;
    return new;
end $$;

create trigger entry_answer_of_open_form before insert or update on entry_answer
    for each row execute function entry_answer_of_open_form();
"""

BACKWARD = """
drop trigger entry_answer_of_open_form on entry_answer;
drop function entry_answer_of_open_form();
drop trigger entry_signed_form_is_closed on entry_form;
drop function entry_signed_form_is_closed();
"""


class Migration(migrations.Migration):
    dependencies = [("entry", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
