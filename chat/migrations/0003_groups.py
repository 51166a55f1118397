"""The two groups of the staff, with their rights.

Django makes permissions after all migrations: those that the groups need are made here, as it
would make them. What the shop adds to a group by hand stays.
"""

from django.db import migrations, models

ADVISER = {
    "chatsession": ("view", "takeover", "end"),
    "contactrequest": ("view", "change"),
}
GROUPS = {
    "Conseillers": {"chat": ADVISER},
    "Responsables": {
        "chat": {
            "chatsession": (*ADVISER["chatsession"], "export", "erase"),
            "contactrequest": ADVISER["contactrequest"],
            "cleanupreport": ("view", "delete"),
            "dailynumber": ("view",),
            "apikey": ("view", "add", "change"),
            "settings": ("view", "end_logins"),
        },
        # To see who has an account, and to log them out. Who may change one could become
        # administrator: that stays with administrators.
        "auth": {"user": ("view",)},
    },
}


def codename_of(action, model_name):
    return action if "_" in action else f"{action}_{model_name}"


def permission(apps, database, app_label, model_name, action):
    """Get or make one permission, under the name that Django gives it."""
    options = apps.get_model(app_label, model_name)._meta
    codename = codename_of(action, model_name)
    names = dict(options.permissions)
    content_type, _ = (
        apps.get_model("contenttypes", "ContentType")
        .objects.using(database)
        .get_or_create(app_label=app_label, model=model_name)
    )
    made, _ = (
        apps.get_model("auth", "Permission")
        .objects.using(database)
        .get_or_create(
            content_type=content_type,
            codename=codename,
            defaults={"name": names.get(codename, f"Can {action} {options.verbose_name_raw}")},
        )
    )
    return made


def make_groups(apps, schema_editor):
    """Make both groups, or give them what they lack."""
    database = schema_editor.connection.alias
    Group = apps.get_model("auth", "Group")
    for group_name, rights in GROUPS.items():
        group, _ = Group.objects.using(database).get_or_create(name=group_name)
        group.permissions.add(
            *(
                permission(apps, database, app_label, model_name, action)
                for app_label, by_model in rights.items()
                for model_name, actions in by_model.items()
                for action in actions
            )
        )


def remove_groups(apps, schema_editor):
    """Their members lose the rights and keep their accounts; permissions are Django's."""
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.filter(name__in=GROUPS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0002_desk"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="Settings",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "réglages",
                "verbose_name_plural": "réglages",
                "permissions": (("end_logins", "Peut déconnecter partout un membre du personnel"),),
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.RunPython(make_groups, remove_groups),
    ]
