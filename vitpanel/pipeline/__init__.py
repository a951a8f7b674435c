"""The precompute run: from a model and images to a study."""
