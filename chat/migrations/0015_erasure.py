from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0014_photo_space"),
    ]

    operations = [
        migrations.CreateModel(
            name="FileRemoval",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=32, unique=True)),
                ("since", models.DateTimeField(auto_now_add=True)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.AddField(
            model_name="contactrequest",
            name="lives_until",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
