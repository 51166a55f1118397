"""How often a mail server said that it will never take an e-mail."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0016_ticket_erasure")]

    operations = [
        migrations.AddField(
            model_name="outgoingmail",
            name="refusals",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, verbose_name="refus définitifs"
            ),
        ),
    ]
