import trial.core.clock
import trial.core.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    """A mark belongs to a session now. Earlier marks say nothing about one: whoever is signed in signs in again."""

    dependencies = [("unblinded_disclosure", "0001_initial")]

    operations = [
        migrations.DeleteModel("Reentry"),
        migrations.CreateModel(
            name="Reentry",
            fields=[
                ("id", models.UUIDField(default=trial.core.ids.new, editable=False, primary_key=True, serialize=False)),
                ("user_id", models.UUIDField()),
                ("session", models.CharField(max_length=40, unique=True)),
                ("at", models.DateTimeField(default=trial.core.clock.now)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "unblinded_reentry"},
        ),
    ]
