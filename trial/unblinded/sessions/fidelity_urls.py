from django.urls import path

from trial.unblinded.sessions.views import fidelity

urlpatterns = [
    path("", fidelity.overview, name="fidelity"),
    path("<uuid:key>/<str:code>/", fidelity.group, name="fidelity_group"),
    path("<uuid:key>/<str:code>/rate/", fidelity.rate, name="fidelity_rate"),
    path("<uuid:key>/<str:code>/sign/", fidelity.sign, name="fidelity_sign"),
    path("<uuid:key>/<str:code>/consensus/", fidelity.consensus, name="fidelity_consensus"),
]
