from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0004_written_batch"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="contactrequest",
            constraint=models.UniqueConstraint(
                fields=("session_ref", "email"), name="contact_once"
            ),
        ),
    ]
