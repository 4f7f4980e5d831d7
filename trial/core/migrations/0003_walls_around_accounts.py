from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_setup_token")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="must_change_password",
            field=models.BooleanField(default=False, help_text="somebody else knows it"),
        ),
        migrations.AddField(
            model_name="rolesiderow",
            name="excludes",
            field=models.CharField(
                blank=True, default="", help_text="roles that nobody holds beside this one", max_length=200
            ),
            preserve_default=False,
        ),
    ]
