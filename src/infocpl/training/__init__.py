"""Training: frozen configurations, tasks, one loop, checkpoints that survive kill -9."""
