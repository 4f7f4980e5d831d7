from django.db import migrations, models

# a change of type rewrites the table without firing its triggers: rows that are never changed keep what they say
TO_LIST = """
alter table unblinded_reading alter column participant_id type jsonb using jsonb_build_array(participant_id);
alter table unblinded_reading rename column participant_id to participants;
"""
TO_ONE = """
alter table unblinded_reading alter column participants type uuid using (participants ->> 0)::uuid;
alter table unblinded_reading rename column participants to participant_id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("unblinded_disclosure", "0003_reading"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TO_LIST, TO_ONE)],
            state_operations=[
                migrations.RemoveField("reading", "participant_id"),
                migrations.AddField(
                    "reading",
                    "participants",
                    models.JSONField(help_text="keys of the people whose names were shown"),
                    preserve_default=False,
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(("participants", []), _negated=True), name="unblinded_reading_of_somebody"
            ),
        ),
    ]
