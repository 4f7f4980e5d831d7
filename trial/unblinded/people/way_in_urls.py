"""The way in, for the coordinator of a site with one person: the open pages and their actions, on the unblinded login."""

from django.urls import path

from trial.participants import views

urlpatterns = [
    path("", views.participant_list, name="unblinded_participants"),
    path("screening/", views.screening_log, name="unblinded_screening_log"),
    path("screening/new/", views.screening_new, name="unblinded_screening_new"),
    path("screening/<uuid:key>/", views.screening_entry, name="unblinded_screening_entry"),
    path("screening/<uuid:key>/register/", views.register, name="unblinded_register"),
    path("<str:number>/", views.participant_page, name="unblinded_participant"),
    path("<str:number>/randomize/", views.randomize, name="unblinded_randomize"),
    path("<str:number>/randomization/", views.randomization_state, name="unblinded_randomization_state"),
]
