from django.db import migrations, models

# What was reported before gets the site of its participant. The owner does it past the triggers: reports are append-only for everybody.
FILL = """
alter table dropbox_unblinding_report disable trigger user;
update dropbox_unblinding_report r set site = p.site_id from participants_participant p where p.id = r.participant_id;
alter table dropbox_unblinding_report enable trigger user;
"""


class Migration(migrations.Migration):
    dependencies = [("participants", "0004_records_state")]

    operations = [
        migrations.AddField(
            model_name="unblindingreport",
            name="site",
            field=models.CharField(default="", max_length=30),
            preserve_default=False,
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
