"""Runs a few readings through every registered stack, so that what is compiled at first use is compiled and kept."""

from models.engine.rehearsal import rehearse
from models.engine.settings import EngineSettings
from models.stacks import STACKS, choose_stacks

if __name__ == "__main__":
    rehearse(choose_stacks(STACKS), EngineSettings())
