from django.urls import path

from trial.unblinded.randomization.views import allocations, concealment, downtime, one, sealing, verification

urlpatterns = [
    path("", allocations.allocation_list, name="allocations"),
    path("sealing/", sealing.sealing, name="sealing"),
    path("sealing/contribute/", sealing.contribute, name="contribute_share"),
    path("verification/", verification.verification, name="verification"),
    path("verification/verifier.py", verification.verifier, name="verifier"),
    path("verification/<uuid:key>.json", verification.export, name="allocation_export"),
    path("concealment/", concealment.monitor, name="concealment"),
    path("downtime/", downtime.downtime, name="downtime"),
    path("downtime/<uuid:key>/release/", downtime.release, name="contingency_release"),
    path("downtime/<str:number>/ask/", downtime.ask, name="contingency_ask"),
    path("<str:number>/", one.allocation, name="allocation"),
    path("<str:number>/wrong-treatment/", one.wrong_treatment, name="wrong_treatment"),
    path("<str:number>/wrong-treatment/void/", one.void_treatment, name="wrong_treatment_void"),
]
