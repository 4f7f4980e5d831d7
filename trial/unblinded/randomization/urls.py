from django.urls import path

from trial.unblinded.randomization.views import allocations, sealing

urlpatterns = [
    path("", allocations.allocation_list, name="allocations"),
    path("sealing/", sealing.sealing, name="sealing"),
    path("sealing/contribute/", sealing.contribute, name="contribute_share"),
]
