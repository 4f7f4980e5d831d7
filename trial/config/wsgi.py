"""The web application."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trial.config.settings")
if settings.SECRET_KEY == settings.NO_SECRET:
    raise ImproperlyConfigured("SECRET_KEY (or SECRET_KEY_FILE) is not set: without it anybody could sign a session.")
application = get_wsgi_application()
