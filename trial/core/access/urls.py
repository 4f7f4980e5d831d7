"""Below ``/unblinded/accounts/``."""

from django.urls import path

from trial.core.access import account_views as views

urlpatterns = [
    path("", views.account_list, name="accounts"),
    path("new/", views.account_new, name="account_new"),
    path("roles/", views.role_matrix, name="role_matrix"),
    path("roles/<uuid:key>/<slug:step>/", views.role_step, name="role_step"),
    path("refusals/", views.refusals, name="refusals"),
    path("<str:username>/", views.account, name="account"),
    path("<str:username>/password/", views.account_password, name="account_password"),
]
