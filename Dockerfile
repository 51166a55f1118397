FROM python:3.13-slim AS packages
RUN python -m venv /venv
COPY requirements.lock .
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home app && install -d -o app /data /data/media
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite:////data/db.sqlite3 \
    MEDIA_DIR=/data/media \
    TMPDIR=/data
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
# The values are for this step only: nothing of them stays in the image.
RUN SECRET_KEY=0123456789-only-while-this-image-is-built ALLOWED_HOSTS=build OPENAI_API_KEY=build \
    python manage.py collectstatic --no-input

USER app
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "deploy/healthcheck.py"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]
