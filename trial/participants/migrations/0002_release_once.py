from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("participants", "0001_initial")]

    operations = [
        migrations.AlterField(model_name="release", name="sha256", field=models.CharField(max_length=64, unique=True)),
    ]
