# One image for every service; docker-compose.yml says which process each container runs, and with which login.
FROM python:3.11.13-slim-bookworm AS packages
COPY requirements.txt /build/requirements.txt
RUN python -m venv /opt/equipoise \
    && /opt/equipoise/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
        -r /build/requirements.txt

FROM python:3.11.13-slim-bookworm
ENV PATH=/opt/equipoise/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OPENBLAS_NUM_THREADS=1 \
    OMP_NUM_THREADS=1 \
    DJANGO_SETTINGS_MODULE=trial.config.settings
RUN groupadd --gid 10001 equipoise \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin equipoise \
    && install -d -o equipoise -g equipoise -m 0700 /var/lib/equipoise
COPY --from=packages /opt/equipoise /opt/equipoise
WORKDIR /srv/equipoise
COPY manage.py ./
COPY trial trial
COPY assessments assessments
COPY analysis analysis
COPY templates templates
COPY protocols protocols
RUN python -m compileall -q manage.py trial assessments analysis
# Root owns the program; the user that runs it cannot change it.
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "trial.config.wsgi:application", "--config", "trial/config/supervisor/gunicorn_settings.py", "--bind", "0.0.0.0:8000"]
