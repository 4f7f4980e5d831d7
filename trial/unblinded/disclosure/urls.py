from django.urls import path

from trial.unblinded.disclosure import views
from trial.unblinded.disclosure.handover import views as handover

urlpatterns = [
    path("", views.planned_unblinding, name="planned_unblinding"),
    path("ledger/", views.ledger, name="ledger"),
    path("reports/", views.reports, name="unblinding_reports"),
    path("reports/<uuid:key>/hand-over/", handover.order, name="handover_order"),
    path("hand-overs/", handover.handovers, name="handovers"),
]
