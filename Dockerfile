# The companion on a CPU, from the pinned versions: docker build -t oaml . && docker run --rm oaml make test
FROM python:3.11-slim-bookworm
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    git make graphviz texlive-latex-base texlive-latex-recommended texlive-fonts-recommended && rm -rf /var/lib/apt/lists/*
WORKDIR /oaml
COPY . .
RUN make setup
CMD [".venv/bin/oaml", "--help"]
