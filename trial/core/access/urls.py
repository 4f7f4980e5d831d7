"""Below ``/unblinded/accounts/``."""

from django.urls import path

from trial.core.access import account_views as views
from trial.core.tokens import views as tokens

urlpatterns = [
    path("", views.account_list, name="accounts"),
    path("new/", views.account_new, name="account_new"),
    path("roles/", views.role_matrix, name="role_matrix"),
    path("roles/<uuid:key>/<slug:step>/", views.role_step, name="role_step"),
    path("refusals/", views.refusals, name="refusals"),
    path("tokens/<uuid:key>/revoke/", tokens.account_token_revoke, name="account_token_revoke"),
    path("<str:username>/", views.account, name="account"),
    path("<str:username>/password/", views.account_password, name="account_password"),
    path("<str:username>/tokens/", tokens.account_tokens, name="account_tokens"),
]
