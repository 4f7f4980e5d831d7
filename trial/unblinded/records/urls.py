from django.urls import path

from trial.unblinded.records import views

urlpatterns = [
    path("", views.admission_list, name="admissions"),
    path("admission/<uuid:key>/correct/", views.correct, name="admission_correct"),
    path("admission/<uuid:key>/remove/", views.remove, name="admission_remove"),
    path("<str:number>/", views.person, name="admissions_person"),
    path("<str:number>/<slug:code>/new/", views.new, name="admission_new"),
    path("<str:number>/<slug:code>/complete/", views.complete, name="admissions_complete"),
]
