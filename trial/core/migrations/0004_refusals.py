import trial.core.clock
import trial.core.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_walls_around_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Refusal",
            fields=[
                ("id", models.UUIDField(default=trial.core.ids.new, editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(default=trial.core.clock.now)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("page", "Page"),
                            ("proof", "Proof"),
                            ("sign_in", "Sign In"),
                            ("locked_out", "Locked Out"),
                            ("token", "Token"),
                        ],
                        max_length=12,
                    ),
                ),
                ("place", models.CharField(blank=True, max_length=120)),
                ("actor", models.CharField(max_length=60)),
                ("about", models.CharField(blank=True, max_length=60)),
            ],
            options={
                "db_table": "dropbox_refusal",
                "indexes": [models.Index(fields=["-at"], name="dropbox_refusals")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("what__in", ["page", "proof", "sign_in", "locked_out", "token"])),
                        name="dropbox_refusal_known",
                    )
                ],
            },
        ),
    ]
