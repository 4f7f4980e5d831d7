from django.urls import path

from trial.core.history import redacting, views

urlpatterns = [
    path("", views.history, name="history"),
    path("seal/", views.seal, name="history_seal"),
    path("redactions/", redacting.redactions, name="redactions"),
    path("redactions/<uuid:key>/", redacting.redaction, name="redaction"),
    path("<int:row>/redact/", redacting.redaction_ask, name="redaction_ask"),
]
