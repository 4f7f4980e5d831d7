"""The addresses of the gallery: demo worlds and tests only."""

from django.urls import path

from trial.core.ui import gallery

urlpatterns = [
    path("gallery/", gallery.gallery, name="gallery"),
    path("gallery/confirm/", gallery.confirm, name="gallery_confirm"),
    path("gallery/progress/", gallery.progress, name="gallery_progress"),
    path("gallery/errors/<int:status>/", gallery.error, name="gallery_error"),
    path("gallery/saved/", gallery.saved, name="gallery_saved"),
]
