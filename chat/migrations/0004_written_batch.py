from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0003_groups"),
    ]

    operations = [
        migrations.CreateModel(
            name="WrittenBatch",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("written_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "lot de nombres",
                "verbose_name_plural": "lots de nombres",
                "default_permissions": (),
            },
        ),
    ]
