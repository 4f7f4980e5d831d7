from django.urls import path

from trial.participants import views

urlpatterns = [
    path("", views.participant_list, name="participants"),
    path("screening/", views.screening_log, name="screening_log"),
    path("screening/new/", views.screening_new, name="screening_new"),
    path("screening/<uuid:key>/", views.screening_entry, name="screening_entry"),
    path("screening/<uuid:key>/register/", views.register, name="register"),
    path("lock/", views.lock, name="lock"),
    path("unblinding/", views.request_unblinding, name="request_unblinding"),
    path("<str:number>/", views.participant_page, name="participant"),
    path("<str:number>/randomize/", views.randomize, name="randomize"),
    path("<str:number>/randomization/", views.randomization_state, name="randomization_state"),
]
