from django.urls import path

from trial.unblinded.disclosure import views

urlpatterns = [
    path("", views.planned_unblinding, name="planned_unblinding"),
    path("ledger/", views.ledger, name="ledger"),
    path("reports/", views.reports, name="unblinding_reports"),
]
