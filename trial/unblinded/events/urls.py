from django.urls import path

from trial.unblinded.events import views

urlpatterns = [
    path("", views.events, name="events"),
    path("by-arm/", views.events_by_arm, name="events_by_arm"),
    path("<uuid:key>/", views.event, name="event"),
    path("<uuid:key>/narrative/", views.event_narrative, name="event_narrative"),
]
