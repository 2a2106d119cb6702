"""What the practice does about each requirement: the plan, the evidence, and how both are judged."""
