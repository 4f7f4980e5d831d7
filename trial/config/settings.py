"""Settings, all of them from the environment (see ``env.VARIABLES``)."""

from pathlib import Path
from typing import Any

from csp.constants import SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from trial.config import env

BASE_DIR = Path(__file__).resolve().parents[2]

DEMO = env.flag("DEMO")
WORLD = env.get("EQUIPOISE_WORLD", "run")
SCRATCH = env.flag("SCRATCH")
CLOCK_OFFSET = float(env.get("CLOCK_OFFSET", "0") or 0)
if CLOCK_OFFSET and not (DEMO or SCRATCH):
    raise ImproperlyConfigured("CLOCK_OFFSET moves the clock of a demo world only: a real trial runs on the real time.")
DEBUG = False
NO_SECRET = "only-for-commands-without-a-secret"  # noqa: S105 - refused by the web application
SECRET_KEY = env.get("SECRET_KEY") or NO_SECRET
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.items("TRUSTED_ORIGINS")

# --- one alias a login; a process has only the aliases whose credential it was given
_DUMMY: dict[str, Any] = {"ENGINE": "django.db.backends.dummy"}
DATABASES: dict[str, dict[str, Any]] = {"default": _DUMMY}
for _alias, _name in (
    ("default", "DATABASE_URL"),
    ("unblinded", "UNBLINDED_DATABASE_URL"),
    ("allocator", "ALLOCATOR_DATABASE_URL"),
    ("owner", "OWNER_DATABASE_URL"),
):
    if env.get(_name):
        DATABASES[_alias] = env.database(env.get(_name), owner=_alias == "owner")
DATABASE_ROUTERS = ["trial.core.side.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "csp",
    "django_htmx",
    "rest_framework",
    "trial.core.apps.CoreConfig",
    "trial.config.apps.ConfigConfig",
    *(
        app
        for app in (
            "trial.core.tokens",
            "trial.protocol",
            "trial.participants",
            "trial.participants.randomization",
            "trial.participants.events",
            "trial.unblinded.randomization",
            "trial.unblinded.sessions",
            "trial.unblinded.records",
            "trial.unblinded.events",
            "trial.unblinded.disclosure",
            "trial.unblinded.tokens",
            "assessments.instruments",
            "assessments.visits",
            "assessments.entry",
            "assessments.cleaning",
            "analysis.plans",
            "analysis.snapshots",
            "analysis.pooled",
            "analysis.reports",
            "analysis.unblinded",
            "analysis.unblinded.papers",
        )
        if (BASE_DIR / app.replace(".", "/") / "apps.py").exists()
    ),
]

MIDDLEWARE = [
    "trial.core.middleware.SideMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "trial.core.assets.AssetsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "trial.core.middleware.UnitOfWorkMiddleware",
]

ROOT_URLCONF = "trial.config.urls"
WSGI_APPLICATION = "trial.config.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["trial.core.ui.tags"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "trial.core.ui.context.shell",
            ],
        },
    },
]

# --- accounts
AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "trial.core.access.sign_in.Backend"]
if SCRATCH:
    # A scratch database is played and thrown away; slow hashes would only cost the tests their minutes.
    PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "full_name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "trial.core.access.sign_in.NotTheDemoPassword"},
]
LOGIN_URL = "login"
UNBLINDED_LOGIN_URL = "unblinded_login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "trial.core.access.views.locked_out"

SESSION_ENGINE = "trial.core.sessions"
SESSION_COOKIE_AGE = 60 * 60 * 10
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "trial.core.ui.views.form_expired"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("HTTPS")
if env.flag("HTTPS"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": [SELF],
    }
}

# --- language, time, files
LANGUAGE_CODE = env.get("LANGUAGE_CODE", "en-gb")
LANGUAGES = [("en-gb", _("English")), ("nl", _("Dutch"))]
LOCALE_PATHS = [BASE_DIR / "trial" / "core" / "locale"]
TIME_ZONE = env.get("TIME_ZONE", "Europe/Amsterdam")
USE_TZ = True
USE_I18N = True
DATE_FORMAT = "j M Y"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "trial" / "core" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 60 * 60 * 24 * 365  # addresses carry a version
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "trial.core.assets.VersionedStorage"},
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000

# --- jobs: the broker of the worker's own queue; senders choose by queue (see celery.py)
WORKER_QUEUE = env.get("WORKER_QUEUE", "default")
BROKERS = {"open": env.get("REDIS_URL"), "unblinded": env.get("UNBLINDED_REDIS_URL")}
TASK_SENDER = "trial.config.celery.send"
RIGHTS = "trial.config.rights.TABLES"
DISCLOSURE = "trial.config.disclosure.TABLES"

# --- what the upper packages offer to the lower ones, by name
STATIONS = "trial.config.stations.STATIONS"
WORK_PROVIDERS: list[str] = [
    "trial.core.access.work.work",
    "trial.core.history.redacting.work_for",
    "trial.participants.presenters.work_for",
    "trial.participants.course.presenters.work_for",
    "assessments.visits.presenters.work_for",
    "trial.unblinded.sessions.presenters.work_for",
    "trial.unblinded.records.presenters.work_for",
    "trial.unblinded.events.presenters.work_for",
    "assessments.cleaning.presenters.work_for",
    "trial.unblinded.disclosure.presenters.work_for",
    "trial.unblinded.randomization.presenters.work_for",
    "trial.unblinded.disclosure.handover.presenters.work_for",
    "trial.unblinded.people.presenters.work_for",
    "analysis.plans.presenters.work_for",
    "analysis.pooled.presenters.work_for",
    "analysis.unblinded.presenters.work_for",
    "analysis.unblinded.looks.presenters.work_for",
    "analysis.unblinded.papers.presenters.work_for",
]
PANEL_PROVIDERS: list[str] = [
    "trial.core.access.work.panels_for",
    "trial.participants.recruitment.presenters.panels_for",
    "assessments.overview.presenters.panels_for",
    "assessments.visits.presenters.panels_for",
    "trial.unblinded.sessions.presenters.panels_for",
    "trial.unblinded.records.presenters.panels_for",
]
LIVE_PANEL_PROVIDERS: list[str] = [
    "analysis.reports.presenters.panels_for",
    "analysis.pooled.presenters.panels_for",
    "analysis.unblinded.presenters.panels_for",
]
LOCK_CHECKS: list[str] = ["assessments.cleaning.presenters.lock_check"]
TRIAL_NAME = "trial.config.stations.trial_name"
TRIAL_NOTICE = "trial.config.stations.trial_notice"
SITE_NAMES = "trial.config.stations.site_names"
TRIAL_BAND = "trial.config.stations.trial_band"
LOCKED_AT = "trial.participants.queries.locked_at"
ASSIGNED = "assessments.visits.queries.is_assigned"
INTERVIEWER_OF = "assessments.visits.queries.interviewer_of"
COMING_VISITS = "assessments.visits.handing.coming_visits"
HAND_OVER = "assessments.visits.actions.hand_over"
RANDOM_HANDOVERS = min(max(float(env.get("RANDOM_HANDOVERS", "0.1")), 0.0), 1.0)
"""The share of follow-up visits that change hands at random, so that a hand-over tells nothing."""
ON_REENTRY = "trial.unblinded.disclosure.actions.mark_reentry"
ON_LEAVING = "trial.unblinded.disclosure.actions.end_reentry"
HAS_REENTERED = "trial.unblinded.disclosure.queries.has_reentered"
TRUE_HISTORY = "trial.unblinded.disclosure.queries.true_history"
HISTORIES = {
    "default": "trial.core.models.History",
    "unblinded": "trial.unblinded.disclosure.models.UnblindedHistory",
}
SEALS = {
    "default": "trial.core.models.HistorySeal",
    "unblinded": "trial.unblinded.disclosure.models.UnblindedHistorySeal",
}
REDACTIONS = {
    "default": "trial.core.models.Redaction",
    "unblinded": "trial.unblinded.disclosure.models.UnblindedRedaction",
}
REDACTED_LINES = {
    "default": "trial.core.models.RedactedLine",
    "unblinded": "trial.unblinded.disclosure.models.UnblindedRedactedLine",
}
HISTORY_WORDS = "trial.config.history_words.words"
HISTORY_TABLES = "trial.config.history_words.TABLES"
KEYS_NUMBERED = "trial.participants.queries.keys_numbered"
NUMBERS_OF = "trial.participants.queries.numbers_of"
LEDGER = "trial.unblinded.disclosure.actions.note"
SEES_ALLOCATION = "trial.protocol.queries.sees_allocation"
TOKENS = {"default": "trial.core.tokens.models.Token", "unblinded": "trial.unblinded.tokens.models.UnblindedToken"}
PROTOCOL_USED = "trial.config.worlds.used.protocol_used"

REST_FRAMEWORK = {
    # who asks is known before a view runs (trial.core.api.gate)
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "trial.core.api.schema.Described",
    "EXCEPTION_HANDLER": "trial.core.api.endpoints.answer_to",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Equipoise",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "DISABLE_ERRORS_AND_WARNINGS": True,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "trial.core.logs.Formatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "axes": {"level": "ERROR"},
    },
}
