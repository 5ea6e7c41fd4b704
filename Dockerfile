# tabgan on NVIDIA GPUs; without --gpus it computes on the CPU.
#
#   docker build -t tabgan .
#   docker run --rm --gpus all -v "$PWD:/data" --user "$(id -u):$(id -g)" tabgan fit orders.csv -o orders.tabgan

# The base image is enough: torch brings its own CUDA libraries.
FROM nvidia/cuda:12.8.1-base-ubuntu24.04

RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

# Without constraints.txt: a driver may need another build of torch than the checks run with.
COPY pyproject.toml README.md LICENSE /src/
COPY tabgan /src/tabgan
COPY cli /src/cli
RUN python3 -m venv /opt/tabgan \
    && /opt/tabgan/bin/pip install --no-cache-dir '/src[augment,pii,privacy,ray]'

# HOME is a folder that any --user may write to.
ENV PATH=/opt/tabgan/bin:$PATH HOME=/tmp
RUN useradd --no-create-home tabgan && mkdir /data && chown tabgan /data
USER tabgan
WORKDIR /data
ENTRYPOINT ["tabgan"]
CMD ["--help"]
