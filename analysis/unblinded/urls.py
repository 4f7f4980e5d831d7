"""Below ``/unblinded/analysis/``."""

from django.urls import path

from analysis.reports import views as reports
from analysis.unblinded import blinding_views, flow_views, plan_views, views
from analysis.unblinded.forecasts import views as forecasts
from analysis.unblinded.looks import views as looks
from analysis.unblinded.papers import views as papers

urlpatterns = [
    path("", views.run_list, name="comparative_runs"),
    path("new/", views.run_new, name="comparative_new"),
    path("plan/", plan_views.plan, name="unblinded_plan"),
    path("plan/sign/", plan_views.looks_sign, name="looks_sign"),
    path("plan/<int:version>/", plan_views.plan, name="unblinded_plan_version"),
    path("flow/", flow_views.flow_page, name="flow_by_arm"),
    path("forecasts/", forecasts.forecast_list, name="forecasts"),
    path("forecasts/new/", forecasts.forecast_new, name="forecast_new"),
    path("forecasts/<uuid:key>/", forecasts.forecast_page, name="forecast"),
    path("forecasts/<uuid:key>/progress/", forecasts.forecast_progress, name="forecast_progress"),
    path("forecasts/<uuid:key>/cancel/", forecasts.forecast_cancel, name="forecast_cancel"),
    path("looks/", looks.look_list, name="looks"),
    path("looks/ask/", looks.look_ask, name="look_ask"),
    path("looks/requests/<uuid:key>/", looks.look_requested, name="look_requested"),
    path("looks/planned/<str:code>/", looks.look_begin, name="look_begin"),
    path("looks/<int:number>/", looks.look_page, name="look"),
    path("looks/<int:number>/recommend/", looks.look_recommend, name="look_recommend"),
    path("looks/<int:number>/sign/", looks.look_sign, name="look_sign"),
    path("looks/<int:number>/tell/", looks.look_tell, name="look_tell"),
    path("blinding/", blinding_views.blinding_page, name="blinding_success"),
    path("reports/", papers.report_list, name="closed_reports"),
    path("reports/closed/", papers.closed_new, name="closed_report_new"),
    path("reports/final/", papers.final_new, name="final_report_new"),
    path("reports/<uuid:key>/", papers.report, name="closed_report"),
    path("reports/<uuid:key>.pdf", papers.report_pdf, name="closed_report_pdf"),
    path("reports/<uuid:key>/progress/", papers.report_progress, name="closed_report_progress"),
    path("reports/<uuid:key>/cancel/", papers.report_cancel, name="closed_report_cancel"),
    path("reports/<uuid:key>/release/", papers.report_release, name="final_report_release"),
    path("results/", reports.release_list, name="unblinded_releases"),
    path("results/<uuid:key>/", reports.release, name="unblinded_release"),
    path("results/<uuid:key>.pdf", reports.release_pdf, name="unblinded_release_pdf"),
    path("results/<uuid:key>/outcomes/<str:code>/", reports.release_outcome, name="unblinded_release_outcome"),
    path("<uuid:key>/", views.run_page, name="comparative_run"),
    path("<uuid:key>/outcomes/<str:code>/", views.run_outcome, name="comparative_outcome"),
    path("<uuid:key>/progress/", views.run_progress, name="comparative_progress"),
    path("<uuid:key>/cancel/", views.run_cancel, name="comparative_cancel"),
    path("<uuid:key>/resume/", views.run_resume, name="comparative_resume"),
    path("<uuid:key>/release/", views.run_release, name="comparative_release"),
]
