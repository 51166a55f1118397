"""Django settings. Every value that varies comes from ``env.py``; code reads ``settings.ENV``."""

from __future__ import annotations

from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF

from meuble_project import backends, logs
from meuble_project.env import ROOT, load_env

django_stubs_ext.monkeypatch()

ENV = load_env()

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
ALLOWED_HOSTS = list(ENV.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(ENV.csrf_trusted_origins)

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "chat",
    "server",
    "devtools",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Outside of all that may refuse a request: a refusal is protected like a page.
    "meuble_project.headers.add_headers",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    # Before anything that knows visitors: a static file needs no session.
    "servestatic.middleware.ServeStaticMiddleware",
    "meuble_project.compression.PageGZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "chat.web.access.login.LockedPage",
]
ROOT_URLCONF = "meuble_project.urls"
ASGI_APPLICATION = "meuble_project.asgi.application"
# The ASGI application that WebSockets lead to.
WEBSOCKET_ROUTES = "chat.routing.websocket"
# The module of a worker's background tasks: `ensure_started`, `is_started`, `stop_worker`.
WORKER_TASKS = "chat.tasks"
#: Judges requests with long bodies before these are read, for a server that can ask.
BODY_ADMISSION = "chat.web.admission.admit"
#: Tells whom the other bodies count for.
BODY_SENDER = "chat.web.admission.sender_of"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, Any] = {"default": backends.database_for(ENV.database_url, ROOT)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES: dict[str, Any] = {
    "default": backends.cache_for(ENV.redis_url, ENV.redis_sentinels),
    "logins": backends.login_cache_for(ENV.redis_url, ENV.redis_sentinels),
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
CHANNEL_LAYERS: dict[str, Any] = {
    "default": backends.channel_layer_for(
        ENV.redis_url, ENV.redis_sentinels, ENV.channel_layer_urls
    )
}

# Login sessions of the staff: read from the cache; the database lets them live through an outage
# of Redis, when an adviser needs the admin most.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_CACHE_ALIAS = "logins"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_AGE = 24 * 3600
SESSION_COOKIE_SECURE = ENV.cookie_secure
AUTHENTICATION_BACKENDS = ["chat.web.access.login.ThrottledBackend"]
CSRF_COOKIE_SECURE = ENV.cookie_secure

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600  # Django sends it over HTTPS only
SECURE_SSL_REDIRECT = ENV.secure_ssl_redirect
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked from inside, over plain HTTP
if ENV.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for the shop's other subdomains is not ours to promise,
    "security.W021",  # nor to preload
    "security.W008",  # the proxy redirects to HTTPS, or SECURE_SSL_REDIRECT says so
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],  # covers wss:// of the same host and port
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

ADMINS = [(address.partition("@")[0], address) for address in ENV.admins]
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.email_from
EMAIL_SUBJECT_PREFIX = f"[{ENV.shop_name}] "
globals().update(backends.email_for(ENV.email_url, debug=ENV.debug))

USE_TZ = True
TIME_ZONE = "Europe/Paris"
USE_I18N = True
LANGUAGE_CODE = "fr"

# What is longer waits on disk: a worker holds no photo and no catalogue in memory.
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "meuble_project.uploads.NamelessFileUploadHandler",
]

STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "chat.web.staticfiles.ModuleManifestStorage"
    },
}
SERVESTATIC_USE_FINDERS = SERVESTATIC_AUTOREFRESH = DEBUG
SERVESTATIC_ALLOW_ALL_ORIGINS = False

logs.configure_structlog()
LOGGING = logs.logging_config(ENV.log_level, as_json=ENV.log_json, secrets=ENV.secrets)
