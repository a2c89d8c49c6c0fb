"""`python -m services.pipeline`."""

from services.pipeline.app import create
from services.pipeline.settings import PipelineSettings
from shared.runtime.service import run

if __name__ == "__main__":
    run(create, PipelineSettings)
