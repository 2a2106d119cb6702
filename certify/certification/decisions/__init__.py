"""The council's decision: award or denial, with everything it needs on one page."""
