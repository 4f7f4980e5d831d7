from django.urls import path

from trial.participants.randomization import views

urlpatterns = [path("", views.commitment, name="commitment")]
