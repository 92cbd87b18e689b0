# The public demo: simulated patients only, read-only for visitors, no network at run time.
FROM python:3.11-slim

# PyTorch's CPU index, for an image without CUDA: --build-arg TORCH_INDEX=<address of that index>.
# Left empty, pip takes the build its registry offers.
ARG TORCH_INDEX=""

RUN useradd --create-home --uid 1000 ecgdash
WORKDIR /home/ecgdash/app

COPY requirements.txt ./
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch==2.13.0 \
 && pip install --no-cache-dir -r requirements.txt

COPY --chown=1000:1000 . .
USER 1000

ENV ECGDASH_DEMO=1 \
    OMP_NUM_THREADS=1 \
    PYTHONUNBUFFERED=1 \
    PORT=7860
EXPOSE 7860

# The port comes from the environment: Spaces and most hosts set it.
CMD ["sh", "-c", "exec streamlit run app.py --server.address 0.0.0.0 --server.port \"$PORT\" --server.headless true"]
