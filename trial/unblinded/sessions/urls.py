from django.urls import path

from trial.unblinded.sessions.views import groups, people, raters, sessions

urlpatterns = [
    path("", groups.group_list, name="treatment_groups"),
    path("new/", groups.new, name="treatment_group_new"),
    path("people/", people.people, name="treatment_people"),
    path("people/<str:number>/", people.person, name="treatment_person"),
    path("people/<str:number>/told/", people.told, name="treatment_told"),
    path("people/<str:number>/place/", people.place, name="treatment_place"),
    path("people/<str:number>/withdraw/", people.withdraw, name="treatment_withdraw"),
    path("raters/", raters.raters, name="treatment_raters"),
    path("stays/<uuid:key>/", people.stay, name="treatment_stay"),
    path("sessions/<uuid:key>/", sessions.session, name="treatment_session"),
    path("sessions/<uuid:key>/correct/", sessions.correct, name="treatment_correct"),
    path("sessions/<uuid:key>/cancel/", sessions.cancel, name="treatment_cancel"),
    path("<uuid:key>/", groups.group, name="treatment_group"),
    path("<uuid:key>/change/", groups.change, name="treatment_group_change"),
    path("<uuid:key>/close/", groups.close, name="treatment_group_close"),
    path("<uuid:key>/record/", sessions.record, name="treatment_record"),
    path("<uuid:key>/canceled/", sessions.canceled, name="treatment_canceled"),
]
