from django.urls import path

from trial.participants import closing_views as closing
from trial.participants import views
from trial.participants.contact import views as contact
from trial.participants.course import views as course
from trial.participants.events import views as events
from trial.participants.randomization import error_views as errors
from trial.participants.recruitment import views as recruitment

urlpatterns = [
    path("", views.participant_list, name="participants"),
    path("screening/", views.screening_log, name="screening_log"),
    path("screening/new/", views.screening_new, name="screening_new"),
    path("screening/<uuid:key>/", views.screening_entry, name="screening_entry"),
    path("screening/<uuid:key>/register/", views.register, name="register"),
    path("lock/", closing.lock, name="lock"),
    path("events/", events.serious_events, name="serious_events"),
    path("events/<uuid:key>/", events.serious_event_correct, name="serious_event_correct"),
    path("recruitment/", recruitment.recruitment, name="recruitment"),
    path("readings/", contact.readings, name="readings"),
    path("unblinding/", closing.request_unblinding, name="request_unblinding"),
    path("<str:number>/", views.participant_page, name="participant"),
    path("<str:number>/contact/", contact.contact, name="contact"),
    path("<str:number>/contact/edit/", contact.contact_edit, name="contact_edit"),
    path("<str:number>/consent/", course.withdrawals, name="withdrawals"),
    path("<str:number>/consent/<slug:part>/", course.withdraw, name="withdraw"),
    path("<str:number>/transfer/", course.transfer, name="transfer"),
    path("<str:number>/death/", course.death, name="death"),
    path("<str:number>/death/decide/", course.death_decide, name="death_decide"),
    path("<str:number>/events/", events.participant_events, name="participant_events"),
    path("<str:number>/events/new/", events.serious_event_new, name="serious_event_new"),
    path("<str:number>/errors/", errors.errors, name="randomization_errors"),
    path("<str:number>/errors/record/", errors.record, name="randomization_error_record"),
    path("<str:number>/errors/<slug:part>/void/", errors.void, name="randomization_error_void"),
    path("<str:number>/randomize/", views.randomize, name="randomize"),
    path("<str:number>/randomization/", views.randomization_state, name="randomization_state"),
]
