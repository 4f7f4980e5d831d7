"""Tables of the framework: no data of the trial, each with the reason why it stands where it stands."""

from trial.core.disclosure import fields

DOOR = "Wrong passwords at the login form, for the lock-out; who stood there typed what they typed. No history is kept of it."

TABLES = {
    "django_session": fields(
        identifies="session_key session_data",
        safe="expire_date",
        why="Whoever has the key is that person; it is stored hashed, the data are signed together with it.",
    ),
    "axes_accessattempt": fields(
        identifies="user_agent ip_address username http_accept path_info get_data post_data",
        safe="id attempt_time failures_since_start",
        why=DOOR,
    ),
    "axes_accessattemptexpiration": fields(safe="access_attempt_id expires_at", why=DOOR),
    "axes_accessfailurelog": fields(
        identifies="user_agent ip_address username http_accept path_info", safe="id attempt_time locked_out", why=DOOR
    ),
    "axes_accesslog": fields(
        identifies="user_agent ip_address username http_accept path_info session_hash",
        safe="id attempt_time logout_time",
        why="Switched off, and no login may read it.",
    ),
    "core_login": fields(safe="name side", why="Which login is of which side, for the guards; written by the setup."),
    "core_rolesiderow": fields(safe="role side excludes", why="Which role is of which side, for the guards."),
    "django_migrations": fields(safe="id app name applied", why="Which versions of the schema were applied."),
    "django_content_type": fields(safe="id app_label model", why="Of the framework; nobody may read it."),
    "auth_permission": fields(safe="id name content_type_id codename", why="Not used; nobody may read it."),
    "auth_group": fields(safe="id name", why="Not used; nobody may read it."),
    "auth_group_permissions": fields(safe="id group_id permission_id", why="Not used; nobody may read it."),
}
