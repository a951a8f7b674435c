"""Picture maths without a toolkit: what charts and maps need to know before they draw."""
