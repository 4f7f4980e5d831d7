"""Below ``/unblinded/code-break/``."""

from django.urls import path

from trial.unblinded.disclosure.code_break import views

urlpatterns = [
    path("", views.code_break, name="code_break"),
    path("reason/", views.reason, name="code_break_reason"),
    path("reason/sent/", views.sent, name="code_break_sent"),
]
