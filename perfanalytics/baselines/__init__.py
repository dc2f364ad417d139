"""Process performance baselines: what a process does, how sure that is, and whether it holds still."""
