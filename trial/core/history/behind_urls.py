from django.urls import path

from trial.core.history import views

urlpatterns = [
    path("", views.history, name="unblinded_history"),
    path("seal/", views.seal, name="unblinded_history_seal"),
]
