"""Tickets and callback requests may be erased, by the Responsables; their links may be revoked."""

from importlib import import_module

from django.db import migrations, models

#: What the groups of 0003 may do besides.
GROUPS = {"Responsables": {"ticket": ("delete",), "contactrequest": ("delete",)}}


def give_rights(apps, schema_editor):
    """Give the group what it lacks; what the shop added by hand stays."""
    permission = import_module("chat.migrations.0012_tickets").permission
    database = schema_editor.connection.alias
    Group = apps.get_model("auth", "Group")
    for group_name, rights in GROUPS.items():
        group, _ = Group.objects.using(database).get_or_create(name=group_name)
        group.permissions.add(
            *(
                permission(apps, database, model_name, action)
                for model_name, actions in rights.items()
                for action in actions
            )
        )


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0015_erasure"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="ticket",
            options={
                "default_permissions": ("view", "change", "delete"),
                "ordering": ["-opened_at"],
                "permissions": (("export_ticket", "Peut exporter les tickets"),),
                "verbose_name": "ticket",
                "verbose_name_plural": "tickets",
            },
        ),
        migrations.AlterModelOptions(
            name="contactrequest",
            options={
                "default_permissions": ("view", "change", "delete"),
                "ordering": ["-asked_at"],
                "verbose_name": "demande de rappel",
                "verbose_name_plural": "demandes de rappel",
            },
        ),
        migrations.AddField(
            model_name="ticket",
            name="link_version",
            field=models.PositiveIntegerField(default=0, db_default=0, editable=False),
        ),
        migrations.AddField(
            model_name="ticket",
            name="link_sent_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
