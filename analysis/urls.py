"""Below ``/analysis/``: the open side."""

from django.urls import path

from analysis.plans import views as plans
from analysis.pooled import views
from analysis.pooled.papers import views as papers
from analysis.reports import views as reports
from analysis.snapshots import views as snapshots

urlpatterns = [
    path("", views.run_list, name="runs"),
    path("new/", views.run_new, name="run_new"),
    path("plan/", plans.plan, name="plan"),
    path("plan/new/", plans.plan_new, name="plan_new"),
    path("plan/sign/", plans.plan_sign, name="plan_sign"),
    path("plan/<int:version>/", plans.plan, name="plan_version"),
    path("snapshots/", views.snapshot_list, name="snapshots"),
    path("snapshots/<uuid:key>/", views.snapshot_page, name="snapshot"),
    path("snapshots/<uuid:key>.csv", views.snapshot_csv, name="snapshot_csv"),
    path("reports/", papers.report_list, name="reports"),
    path("reports/new/", papers.report_new, name="report_new"),
    path("reports/<uuid:key>/", papers.report, name="report"),
    path("reports/<uuid:key>.pdf", papers.report_pdf, name="report_pdf"),
    path("reports/<uuid:key>/progress/", papers.report_progress, name="report_progress"),
    path("reports/<uuid:key>/cancel/", papers.report_cancel, name="report_cancel"),
    path("snapshots/<uuid:key>.parquet", snapshots.snapshot_parquet, name="snapshot_parquet"),
    path("snapshots/<uuid:key>/since/<uuid:before>/", snapshots.snapshot_changes, name="snapshot_changes"),
    path("results/", reports.release_list, name="releases"),
    path("results/<uuid:key>/", reports.release, name="release"),
    path("results/<uuid:key>.pdf", reports.release_pdf, name="release_pdf"),
    path("results/<uuid:key>/outcomes/<str:code>/", reports.release_outcome, name="release_outcome"),
    path("<uuid:key>/", views.run_page, name="run"),
    path("<uuid:key>/outcomes/<str:code>/", views.run_outcome, name="run_outcome"),
    path("<uuid:key>/progress/", views.run_progress, name="run_progress"),
    path("<uuid:key>/cancel/", views.run_cancel, name="run_cancel"),
    path("<uuid:key>/resume/", views.run_resume, name="run_resume"),
]
