"""The paper's definitions as pure functions of numpy arrays."""
