"""All that a person reads: plots, HTML, Markdown tables."""
