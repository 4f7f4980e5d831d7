from django.urls import path

from trial.participants.course import views as course
from trial.participants.events import views as events
from trial.unblinded.people import views

urlpatterns = [
    path("", views.people, name="people"),
    path("readings/", views.readings, name="unblinded_readings"),
    path("<str:number>/", views.person, name="person"),
    path("<str:number>/death/", course.death, name="unblinded_death"),
    path("<str:number>/death/decide/", course.death_decide, name="unblinded_death_decide"),
    path("<str:number>/events/new/", events.serious_event_new, name="unblinded_serious_event_new"),
]
