from django.urls import path

from assessments.entry.views import filling, records
from assessments.overview import views as overview
from assessments.visits import attempt_views as attempts
from assessments.visits import views as visits

urlpatterns = [
    path("", visits.worklist, name="interviews"),
    path("visits/", visits.visits, name="visits"),
    path("flow/", overview.flow, name="flow"),
    path("completeness/", records.completeness, name="completeness"),
    path("codebook/", records.variables, name="codebook"),
    path("forms/", records.records, name="records"),
    path("forms/<uuid:key>/", records.record, name="record"),
    path("<str:number>/", visits.participant_visits, name="participant_visits"),
    path("<str:number>/interviewer/", visits.assign, name="assign_interviewer"),
    path("<str:number>/report/", visits.report, name="unblinding_report"),
    path("<str:number>/visits/<slug:code>/", visits.visit, name="visit"),
    path("<str:number>/visits/<slug:code>/attempt/", attempts.attempt, name="visit_attempt"),
    path("<str:number>/visits/<slug:code>/missed/", visits.missed, name="visit_missed"),
    path("<str:number>/visits/<slug:code>/reopen/", visits.reopen, name="visit_reopen"),
    path("<str:number>/visits/<slug:code>/done/", visits.done, name="visit_done"),
    path("<str:number>/visits/<slug:code>/forms/<slug:instrument>/", filling.fill, name="assessment"),
    path("<str:number>/visits/<slug:code>/forms/<slug:instrument>/save/", filling.save, name="assessment_save"),
    path("<str:number>/visits/<slug:code>/forms/<slug:instrument>/sign/", filling.sign, name="assessment_sign"),
]
