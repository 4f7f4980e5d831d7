from django.urls import path

from trial.core.history import redacting, views

urlpatterns = [
    path("", views.history, name="unblinded_history"),
    path("seal/", views.seal, name="unblinded_history_seal"),
    path("redactions/", redacting.redactions, name="unblinded_redactions"),
    path("redactions/<uuid:key>/", redacting.redaction, name="unblinded_redaction"),
    path("<int:row>/redact/", redacting.redaction_ask, name="unblinded_redaction_ask"),
]
