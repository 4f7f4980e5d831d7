from django.urls import path

from trial.unblinded.randomization import views

urlpatterns = [
    path("", views.allocation_list, name="allocations"),
    path("<str:number>/", views.allocation, name="allocation"),
]
