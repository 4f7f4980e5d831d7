from django.urls import path

from assessments.cleaning import views as cleaning
from assessments.entry.views import amending, filling, records, signing
from assessments.overview import views as overview
from assessments.visits import attempt_views as attempts
from assessments.visits.views import lists, unblinding, visit

urlpatterns = [
    path("", lists.worklist, name="interviews"),
    path("ratings/", lists.ratings, name="ratings"),
    path("visits/", lists.visits, name="visits"),
    path("flow/", overview.flow, name="flow"),
    path("completeness/", records.completeness, name="completeness"),
    path("codebook/", records.variables, name="codebook"),
    path("forms/", records.records, name="records"),
    path("forms/<uuid:key>/", records.record, name="record"),
    path("forms/<uuid:key>/amend/", amending.amend, name="amend_form"),
    path("forms/<uuid:key>/amend/items/", amending.choose, name="choose_amendment"),
    path("forms/<uuid:key>/query/", cleaning.ask_form, name="ask_form"),
    path("queries/", cleaning.data_queries, name="data_queries"),
    path("queries/accept/", cleaning.accept, name="accept_queries"),
    path("queries/<uuid:key>/", cleaning.data_query, name="data_query"),
    path("queries/<uuid:key>/correct/", cleaning.correct, name="correct_query"),
    path("<str:number>/", visit.participant_visits, name="participant_visits"),
    path("<str:number>/interviewer/", visit.assign, name="assign_interviewer"),
    path("<str:number>/report/", unblinding.report, name="unblinding_report"),
    path("<str:number>/visits/<slug:code>/", visit.visit, name="visit"),
    path("<str:number>/visits/<slug:code>/attempt/", attempts.attempt, name="visit_attempt"),
    path("<str:number>/visits/<slug:code>/missed/", visit.missed, name="visit_missed"),
    path("<str:number>/visits/<slug:code>/reopen/", visit.reopen, name="visit_reopen"),
    path("<str:number>/visits/<slug:code>/done/", unblinding.done, name="visit_done"),
    path("<str:number>/visits/<slug:code>/forms/<slug:instrument>/", filling.fill, name="assessment"),
    path("<str:number>/visits/<slug:code>/forms/<slug:instrument>/save/", filling.save, name="assessment_save"),
    path("<str:number>/visits/<slug:code>/forms/<slug:instrument>/check/", filling.check, name="assessment_check"),
    path(
        "<str:number>/visits/<slug:code>/forms/<slug:instrument>/not-asked/",
        filling.not_asked,
        name="assessment_not_asked",
    ),
    path("<str:number>/visits/<slug:code>/sign/", signing.sign, name="visit_sign"),
    path("<str:number>/visits/<slug:code>/query/", cleaning.ask_visit, name="ask_visit"),
    path("<str:number>/visits/<slug:code>/report/", unblinding.report, name="visit_report"),
    path("<str:number>/report/sent/", unblinding.report_sent, name="report_sent"),
]
