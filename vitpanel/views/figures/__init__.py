"""One pure builder per chart: data in, figure and sources out."""
